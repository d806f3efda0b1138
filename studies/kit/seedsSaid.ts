/** How a figure says what its lines and bands are. */
export const seedsSaid = (seeds: number): string =>
  seeds === 1 ? 'one seed' : `mean of ${seeds} seeds, with its 95 % interval`;
