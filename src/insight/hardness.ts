/** A loss to rank by: what is not finite is harder than everything. */
export const hardness = (loss: number): number => (Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY);
