/**
 * How a figure says what its lines and bands are.
 *
 * @param of  the only line with a band. Omit if all lines have one.
 */
export function seedsSaid(seeds: number, of?: string): string {
  if (seeds === 1) return 'one seed';
  return `mean of ${seeds} seeds, with ${of === undefined ? 'its 95 % interval' : `the 95 % interval of ${of}`}`;
}
