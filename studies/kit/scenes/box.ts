/** A box in pixels, `y1, x1, y2, x2`; the ends are not part of it. */
export type Box = readonly [y1: number, x1: number, y2: number, x2: number];

export const areaOf = ([y1, x1, y2, x2]: Box): number => (y2 - y1) * (x2 - x1);

/** The area that two boxes share. */
export function sharedArea(one: Box, other: Box): number {
  const height = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const width = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  return height > 0 && width > 0 ? height * width : 0;
}

/** Intersection over union of two boxes; 0 if neither has an area. */
export function iouOf(one: Box, other: Box): number {
  const shared = sharedArea(one, other);
  return shared > 0 ? shared / (areaOf(one) + areaOf(other) - shared) : 0;
}
