import {uniformFrom} from '../../random';

/**
 * Shuffles the rows 0 … count − 1. The order depends on seed and epoch alone: it is the same on
 * every backend, and after a resume.
 */
export function shuffledRows(count: number, seed: number | string, epoch: number): Int32Array {
  const rows = rowsFrom(0, count);
  const uniform = uniformFrom(`${seed}/${epoch}`);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    const row = rows[last] as number;
    rows[last] = rows[other] as number;
    rows[other] = row;
  }
  return rows;
}

/** Lists the rows first … end − 1 in their order. */
export function rowsFrom(first: number, end: number): Int32Array {
  return Int32Array.from({length: end - first}, (_, row) => first + row);
}
