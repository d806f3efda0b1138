import {type Box, iouOf} from '../kit/scenes/box';
import {type SceneObject, SIDE} from '../kit/scenes/scene';

/** Two feature maps, and the heights of the anchors in each of their cells, in pixels. */
export const GRIDS = [
  {cells: 12, heights: [13, 17, 22]},
  {cells: 6, heights: [27, 33, 40]},
] as const;

/** Widths of the anchors by their heights. */
export const SHAPES = [1, 0.67, 0.33] as const;

export const ANCHORS_PER_CELL = 9;

function around(y: number, x: number, height: number, width: number): Box {
  return [y - height / 2, x - width / 2, y + height / 2, x + width / 2];
}

/** All anchors, in the order of the detector's outputs: map by map, cell by cell, row by row. */
export const ANCHORS: readonly Box[] = GRIDS.flatMap(({cells, heights}) =>
  Array.from({length: cells * cells}, (_, cell) => {
    const [y, x] = [Math.floor(cell / cells), cell % cells].map((place) => ((place + 0.5) * SIDE) / cells);
    return heights.flatMap((height) => SHAPES.map((shape) => around(y as number, x as number, height, height * shape)));
  }).flat(),
);

/** An anchor with at least this overlap with an object is positive. */
export const MATCHED = 0.5;

/** The targets of each anchor of a scene. */
interface Matches {
  /** `int32[P]`: 0 = background, or the digit plus 1. */
  kinds: Int32Array;
  /** `float32[P · 4]`, the offsets of the object's box; 0 for background. */
  offsets: Float32Array;
}

/**
 * Matches anchors to the objects of a scene, as SSD does (§2.2).
 *
 * The best anchor of each object is positive. So is each other anchor that overlaps an object by at
 * least 0.5; it learns the object that it overlaps most.
 */
export function matchAnchors(objects: readonly SceneObject[], anchors: readonly Box[] = ANCHORS): Matches {
  const matched = new Int32Array(anchors.length).fill(-1);
  const overlaps = objects.map(({box}) => anchors.map((anchor) => iouOf(anchor, box)));
  for (let anchor = 0; anchor < anchors.length; anchor++) {
    let most = MATCHED;
    for (const [object, ofObject] of overlaps.entries()) {
      const overlap = ofObject[anchor] as number;
      if (overlap < most || (overlap === most && matched[anchor] !== -1)) continue;
      most = overlap;
      matched[anchor] = object;
    }
  }
  const taken = new Set<number>();
  for (const [object, ofObject] of overlaps.entries()) {
    const best = bestFree(ofObject, taken);
    if (best === -1) continue;
    taken.add(best);
    matched[best] = object;
  }
  return targetsOf(matched, objects, anchors);
}

/** The anchor with the largest overlap that no earlier object has taken. */
function bestFree(overlaps: readonly number[], taken: ReadonlySet<number>): number {
  let best = -1;
  for (const [anchor, overlap] of overlaps.entries()) {
    if (overlap > (overlaps[best] ?? 0) && !taken.has(anchor)) best = anchor;
  }
  return best;
}

function targetsOf(matched: Int32Array, objects: readonly SceneObject[], anchors: readonly Box[]): Matches {
  const [kinds, offsets] = [new Int32Array(anchors.length), new Float32Array(4 * anchors.length)];
  for (const [anchor, place] of matched.entries()) {
    const object = objects[place];
    if (!object) continue;
    kinds[anchor] = object.label + 1;
    offsets.set(encodeBox(object.box, anchors[anchor] as Box), 4 * anchor);
  }
  return {kinds, offsets};
}

const centred = ([y1, x1, y2, x2]: Box) => [(y1 + y2) / 2, (x1 + x2) / 2, y2 - y1, x2 - x1] as const;

/** The "variances" of SSD: units of offsets of centres, and of logarithms of sides. */
const [CENTRE, SIDES] = [0.1, 0.2];

/** The offsets of a box from an anchor, as SSD has them. */
export function encodeBox(box: Box, anchor: Box): [dy: number, dx: number, dh: number, dw: number] {
  const [y, x, height, width] = centred(box);
  const [ay, ax, ah, aw] = centred(anchor);
  return [
    ...[(y - ay) / ah / CENTRE, (x - ax) / aw / CENTRE],
    ...[Math.log(height / ah) / SIDES, Math.log(width / aw) / SIDES],
  ] as [number, number, number, number];
}

/**
 * Largest logarithm of a side, relative to the anchor: an untrained detector may predict anything.
 */
const MOST = 4;

/** The box at some offsets from an anchor. */
export function decodeBox(offsets: ArrayLike<number>, anchor: Box): Box {
  const [dy, dx, dh, dw] = [0, 1, 2, 3].map((place) => offsets[place] as number) as [number, number, number, number];
  const [ay, ax, ah, aw] = centred(anchor);
  const sideOf = (side: number, offset: number) => side * Math.exp(Math.min(MOST, SIDES * offset));
  return around(ay + CENTRE * dy * ah, ax + CENTRE * dx * aw, sideOf(ah, dh), sideOf(aw, dw));
}
