/**
 * @file What a curve that was measured at some places says about those between, on straight lines
 *   from one to the next.
 */

/** The value at `x`; NaN outside of what was measured. `xs` increase. */
export function valueAt(xs: readonly number[], ys: readonly number[], x: number): number {
  const next = xs.findIndex((other) => other >= x);
  if (next === -1 || x < (xs[0] as number)) return Number.NaN;
  const [right, value] = [xs[next] as number, ys[next] as number];
  if (right === x) return value;
  const [left, before] = [xs[next - 1] as number, ys[next - 1] as number];
  return before + ((value - before) * (x - left)) / (right - left);
}

/** Where the curve first reaches `level`; NaN if it does not. */
export function reachedAt(xs: readonly number[], ys: readonly number[], level: number): number {
  const next = ys.findIndex((value) => value >= level);
  if (next === -1) return Number.NaN;
  const [right, value] = [xs[next] as number, ys[next] as number];
  if (next === 0 || value === level) return right;
  const [left, before] = [xs[next - 1] as number, ys[next - 1] as number];
  return left + ((right - left) * (level - before)) / (value - before);
}
