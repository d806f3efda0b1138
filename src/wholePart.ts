/** Takes the whole part of a ratio times a count; 0.29 · 100, in float64 below 29, gives 29. */
export function wholePart(product: number): number {
  return Math.floor(product * (1 + 2 ** -40));
}
