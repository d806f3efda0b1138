/** Rounds the product of a ratio and a count down; 0.29 · 100, in float64 below 29, gives 29. */
export function wholePart(product: number): number {
  return Math.floor(product * (1 + 2 ** -40));
}
