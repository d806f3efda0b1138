/** @file How good a segmentation is: intersection over union by kind, and boundaries. */
import {SIDE} from '../kit/scenes/scene';
import {PIXEL_KINDS} from './pixelKinds';

/** A scene, pixel by pixel. */
export interface JudgedPixels {
  /** The kind of each pixel; 0 = background. */
  truth: ArrayLike<number>;
  /** The kind that each pixel is taken for. */
  found: ArrayLike<number>;
}

/**
 * Intersection over union of each kind, over the pixels of all scenes together.
 *
 *     IoU_c = |{found = c} ∩ {truth = c}| / |{found = c} ∪ {truth = c}|
 *
 * @returns a number for each kind; NaN for a kind that occurs nowhere.
 */
export function iouByKind(scenes: readonly JudgedPixels[], kinds = PIXEL_KINDS): number[] {
  const [shared, either] = [new Float64Array(kinds), new Float64Array(kinds)];
  const count = (counts: Float64Array, kind: number) => {
    counts[kind] = (counts[kind] as number) + 1;
  };
  for (const {truth, found} of scenes) {
    for (let at = 0; at < truth.length; at++) {
      const [due, is] = [truth[at] as number, found[at] as number];
      count(either, due);
      if (is === due) count(shared, due);
      else count(either, is);
    }
  }
  return Array.from(shared, (pixels, kind) => pixels / (either[kind] as number));
}

/** Largest distance of boundary pixels that match, in pixels. */
export const TOLERANCE = 2;

/**
 * Boundary F1 of each kind but background, over all scenes together.
 *
 *     boundary of a kind = its pixels with one of another kind above, below, to the left or right
 *     precision = share of the found boundary within 2 pixels of the true one of that kind
 *     recall    = share of the true boundary within 2 pixels of the found one
 *     F1 = 2 · precision · recall / (precision + recall),  0 if nothing matches
 *
 * Distances are Euclidean, within a scene. The edge of a scene is no boundary. Background has no
 * score of its own: its boundary is that of the others.
 *
 * @returns a number for each kind but background; NaN for one that occurs nowhere.
 * @see Csurka et al., What is a good evaluation measure for semantic segmentation?, BMVC 2013;
 *   their score is a mean over images
 */
export function boundaryF1ByKind(scenes: readonly JudgedPixels[], {kinds = PIXEL_KINDS, side = SIDE} = {}): number[] {
  const counts = Array.from({length: kinds}, () => ({found: 0, foundMatched: 0, due: 0, dueMatched: 0}));
  for (const {truth, found} of scenes) {
    const [due, is] = [boundariesOf(truth, side), boundariesOf(found, side)];
    for (const [kind, places] of due) {
      const count = counts[kind] as (typeof counts)[number];
      count.due += places.size;
      count.dueMatched += matchedOf(places, is.get(kind), side);
    }
    for (const [kind, places] of is) {
      const count = counts[kind] as (typeof counts)[number];
      count.found += places.size;
      count.foundMatched += matchedOf(places, due.get(kind), side);
    }
  }
  return counts.slice(1).map(({found, foundMatched, due, dueMatched}) => {
    if (found + due === 0) return Number.NaN;
    if (foundMatched === 0 || dueMatched === 0) return 0;
    const [precision, recall] = [foundMatched / found, dueMatched / due];
    return (2 * precision * recall) / (precision + recall);
  });
}

/** The places of the boundary pixels of each kind but background. */
function boundariesOf(kinds: ArrayLike<number>, side: number): Map<number, Set<number>> {
  const boundaries = new Map<number, Set<number>>();
  for (let at = 0; at < kinds.length; at++) {
    const kind = kinds[at] as number;
    if (kind === 0) continue;
    const x = at % side;
    const differs = (isInside: boolean, neighbour: number) => isInside && kinds[neighbour] !== kind;
    const isBoundary =
      differs(x > 0, at - 1) ||
      differs(x < side - 1, at + 1) ||
      differs(at >= side, at - side) ||
      differs(at < kinds.length - side, at + side);
    if (!isBoundary) continue;
    const places = boundaries.get(kind) ?? new Set();
    boundaries.set(kind, places.add(at));
  }
  return boundaries;
}

/** Steps to all pixels within the tolerance. */
const DISC = Array.from({length: (2 * TOLERANCE + 1) ** 2}, (_, place) => ({
  dy: Math.floor(place / (2 * TOLERANCE + 1)) - TOLERANCE,
  dx: (place % (2 * TOLERANCE + 1)) - TOLERANCE,
})).filter(({dy, dx}) => dy ** 2 + dx ** 2 <= TOLERANCE ** 2);

function matchedOf(places: ReadonlySet<number>, others: ReadonlySet<number> | undefined, side: number): number {
  if (!others) return 0;
  let matched = 0;
  for (const at of places) {
    const x = at % side;
    const isNear = ({dy, dx}: {dy: number; dx: number}) =>
      x + dx >= 0 && x + dx < side && others.has(at + dy * side + dx);
    if (DISC.some(isNear)) matched++;
  }
  return matched;
}

/** How good a segmentation is. */
export interface SegmentationQuality {
  /** Mean over background and digits. */
  meanIou: number;
  /** Of digits. */
  boundaryF1: number;
  digitIou: number;
}

/** Judges the pixels of some scenes. */
export function pixelQualityOf(scenes: readonly JudgedPixels[]): SegmentationQuality {
  const [background, digit] = iouByKind(scenes) as [number, number];
  return {
    meanIou: rounded((background + digit) / 2),
    boundaryF1: rounded(boundaryF1ByKind(scenes)[0] as number),
    digitIou: rounded(digit),
  };
}

const rounded = (value: number) => Number(value.toFixed(5));
