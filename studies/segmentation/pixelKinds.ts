/**
 * Background and digit. Which digit a pixel belongs to is not predicted: a network that trains in
 * minutes does not learn it.
 */
export const PIXEL_KINDS = 2;

/** The kind of each pixel, 0 = background or 1 = digit, from its label in a scene. */
export const pixelKinds = (labels: Uint8Array): Uint8Array => labels.map((label) => Math.min(label, 1));
