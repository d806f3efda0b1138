/**
 * @file Gradients of the last layer of a classifier, built one by one in float64, and picks by
 *   them.
 */

/** The gradients `(p − y) ⊗ h` of rows, each flat; `[h, 1]` with the bias. */
export function gradientsInJs(
  errors: readonly (readonly number[])[],
  features: readonly (readonly number[])[],
  bias: boolean,
): number[][] {
  return errors.map((error, row) => {
    const inputs = [...(features[row] as number[]), ...(bias ? [1] : [])];
    return error.flatMap((e) => inputs.map((h) => e * h));
  });
}

export const softmaxInJs = (logits: readonly number[]): number[] => {
  const powers = logits.map((x) => Math.exp(x - Math.max(...logits)));
  const total = powers.reduce((sum, x) => sum + x, 0);
  return powers.map((x) => x / total);
};

/** `softmax − onehot` of each row. */
export const errorsInJs = (logits: readonly (readonly number[])[], labels: readonly number[]): number[][] =>
  logits.map((row, i) => softmaxInJs(row).map((p, c) => p - +(c === labels[i])));

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);

/** A row that is picked, and by how large a share of it the next best was worse. */
export interface Pick {
  row: number;
  lead: number;
}

function bestOf(scores: readonly number[], open: ReadonlySet<number>): Pick {
  const order = [...open].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  const [row, next] = order as [number, number | undefined];
  const [most, second] = [scores[row] as number, next === undefined ? 0 : (scores[next] as number)];
  return {row, lead: next === undefined ? 1 : (most - second) / Math.max(Math.abs(most), Math.abs(second), 1e-300)};
}

/** Matching pursuit of the mean gradient by explicit gradients; each row once. */
export function pursuedInJs(
  gradients: readonly number[][],
  usable: readonly number[],
  count: number,
): (Pick & {left: number})[] {
  const residual = (gradients[0] as number[]).map((_, i) =>
    usable.reduce((sum, row) => sum + ((gradients[row] as number[])[i] as number) / usable.length, 0),
  );
  const open = new Set(usable);
  const directions: number[][] = [];
  const picks: (Pick & {left: number})[] = [];
  while (picks.length < count && open.size > 0) {
    const scores = gradients.map((gradient) => Math.abs(dot(gradient, residual)));
    const pick = bestOf(scores, open);
    const direction = [...(gradients[pick.row] as number[])];
    for (const other of directions) {
      const along = dot(direction, other);
      for (const i of direction.keys()) direction[i] = (direction[i] as number) - along * (other[i] as number);
    }
    const length = Math.sqrt(dot(direction, direction));
    const unit = direction.map((x) => x / length);
    const along = dot(unit, residual);
    for (const i of residual.keys()) residual[i] = (residual[i] as number) - along * (unit[i] as number);
    directions.push(unit);
    open.delete(pick.row);
    picks.push({...pick, left: scores[pick.row] as number});
  }
  return picks;
}

/** GREATS by explicit gradients: the largest scores, less the interaction with what is picked. */
export function greedyInJs(
  gradients: readonly number[][],
  target: readonly number[],
  rate: number,
  usable: readonly number[],
  count: number,
): Pick[] {
  const scores = gradients.map((gradient) => rate * dot(gradient, target));
  const open = new Set(usable);
  const picks: Pick[] = [];
  while (picks.length < count && open.size > 0) {
    const pick = bestOf(scores, open);
    open.delete(pick.row);
    picks.push(pick);
    const chosen = gradients[pick.row] as number[];
    for (const [row, gradient] of gradients.entries())
      scores[row] = (scores[row] as number) - rate ** 2 * dot(gradient, chosen);
  }
  return picks;
}
