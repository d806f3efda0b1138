/** Lists the rows that have a given mark, in ascending order. */
export function rowsMarked(marks: Uint8Array, mark: number): Int32Array {
  const rows = new Int32Array(countMarked(marks, mark));
  let place = 0;
  // Overwrite a place until its row has the mark, which avoids mispredicted branches.
  for (let row = 0; place < rows.length; row++) {
    rows[place] = row;
    place += marks[row] === mark ? 1 : 0;
  }
  return rows;
}

/** Counts the rows that have a given mark. */
export function countMarked(marks: Uint8Array, mark: number): number {
  let count = 0;
  for (let row = 0; row < marks.length; row++) count += marks[row] === mark ? 1 : 0;
  return count;
}

/**
 * Keeps the row with the largest finite loss if all rows with a finite loss are left out.
 *
 * The other rows teach nothing.
 */
export function spareHardest(isLeftOut: Uint8Array, losses: Float32Array): void {
  let [hardest, largest] = [-1, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < losses.length; row++) {
    const loss = losses[row] as number;
    if (!Number.isFinite(loss)) continue;
    if (isLeftOut[row] === 0) return;
    if (loss > largest) [hardest, largest] = [row, loss];
  }
  if (hardest >= 0) isLeftOut[hardest] = 0;
}

/** Inverts marks, but never marks rows whose loss is not finite: they are never left out. */
export function restOf(marks: Uint8Array, losses: Float32Array): Uint8Array {
  const rest = new Uint8Array(marks.length);
  for (let row = 0; row < marks.length; row++) rest[row] = marks[row] === 0 && Number.isFinite(losses[row]) ? 1 : 0;
  return rest;
}

/** Splits the rows of an epoch into rows to train on and rows to run forward at its end. */
export function withRescore(isLeftOut: Uint8Array): {rows: Int32Array; rescore?: Int32Array} {
  const count = countMarked(isLeftOut, 1);
  const [rows, rescore] = [new Int32Array(isLeftOut.length - count), new Int32Array(count)];
  let [row, kept, left] = [0, 0, 0];
  for (; kept < rows.length && left < count; row++) {
    // Write to both places and overwrite one: a branch would be mispredicted half of the time.
    rows[kept] = rescore[left] = row;
    const mark = isLeftOut[row] as number;
    kept += 1 - mark;
    left += mark;
  }
  while (kept < rows.length) rows[kept++] = row++;
  while (left < count) rescore[left++] = row++;
  return count === 0 ? {rows} : {rows, rescore};
}
