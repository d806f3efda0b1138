import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  boundaryF1ByKind,
  iouByKind,
  type JudgedPixels,
  pixelQualityOf,
  TOLERANCE,
} from '../../../studies/segmentation/pixelScores';
import {RUNS} from '../../support/property';

const [FEW, WIDE] = [4, 9];
const kinds = fc.integer({min: 0, max: FEW - 1});
/** Maps of rectangles, so that boundaries are as in scenes, with single pixels among them. */
const maps: fc.Arbitrary<number[]> = fc
  .array(fc.tuple(kinds, ...Array.from({length: 4}, () => fc.integer({min: 0, max: WIDE}))), {maxLength: 4})
  .map((rectangles) => {
    const map = Array.from({length: WIDE * WIDE}, () => 0);
    for (const [kind, y1, x1, y2, x2] of rectangles as [number, number, number, number, number][]) {
      for (let y = Math.min(y1, y2); y < Math.max(y1, y2); y++) {
        for (let x = Math.min(x1, x2); x < Math.max(x1, x2); x++) map[y * WIDE + x] = kind;
      }
    }
    return map;
  });
const scenes: fc.Arbitrary<JudgedPixels[]> = fc.array(fc.record({truth: maps, found: maps}), {
  minLength: 1,
  maxLength: 3,
});
const pixels = Array.from({length: WIDE * WIDE}, (_, at) => at);
const placeOf = (at: number) => ({y: Math.floor(at / WIDE), x: at % WIDE});

describe('iouByKind', () => {
  it('is the share of the pixels of either that are in both', () => {
    fc.assert(
      fc.property(scenes, (all) => {
        for (const [kind, iou] of iouByKind(all, FEW).entries()) {
          const places = all.flatMap(({truth, found}) => pixels.map((at) => [truth[at] === kind, found[at] === kind]));
          const both = places.filter(([due, is]) => due && is).length;
          const either = places.filter(([due, is]) => due || is).length;
          if (either === 0) expect(iou).toBeNaN();
          else expect(iou).toBeCloseTo(both / either, 12);
        }
      }),
      RUNS,
    );
  });
});

/** The definition: every pair of boundary pixels of a scene is compared. */
function bruteForce(all: JudgedPixels[], kind: number): number {
  const boundaryOf = (map: ArrayLike<number>) =>
    pixels.filter((at) => {
      const {y, x} = placeOf(at);
      const isOther = (other: number) => {
        const {y: otherY, x: otherX} = placeOf(other);
        return Math.abs(y - otherY) + Math.abs(x - otherX) === 1 && map[other] !== kind;
      };
      return map[at] === kind && pixels.some(isOther);
    });
  const near = (at: number, others: number[]) =>
    others.some((other) => {
      const [one, two] = [placeOf(at), placeOf(other)];
      return Math.hypot(one.y - two.y, one.x - two.x) <= TOLERANCE;
    });
  const pairs = all.map(({truth, found}) => ({due: boundaryOf(truth), is: boundaryOf(found)}));
  const total = (count: (pair: {due: number[]; is: number[]}) => number) =>
    pairs.reduce((sum, pair) => sum + count(pair), 0);
  const precision = total(({due, is}) => is.filter((at) => near(at, due)).length) / total(({is}) => is.length);
  const recall = total(({due, is}) => due.filter((at) => near(at, is)).length) / total(({due}) => due.length);
  if (total(({due, is}) => due.length + is.length) === 0) return Number.NaN;
  return precision > 0 && recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

describe('boundaryF1ByKind', () => {
  it('is that of the definition, tried by brute force', () => {
    fc.assert(
      fc.property(scenes, (all) => {
        const scores = boundaryF1ByKind(all, {kinds: FEW, side: WIDE});
        expect(scores).toHaveLength(FEW - 1);
        for (const [place, score] of scores.entries()) {
          const due = bruteForce(all, place + 1);
          if (Number.isNaN(due)) expect(score).toBeNaN();
          else expect(score).toBeCloseTo(due, 12);
        }
      }),
      {...RUNS, numRuns: 300},
    );
  });

  it('is 1 for what is off by two pixels, and less for three', () => {
    const strip = (row: number) => pixels.map((at) => (placeOf(at).y === row ? 1 : 0));
    const scoreAt = (row: number) =>
      boundaryF1ByKind([{truth: strip(2), found: strip(row)}], {kinds: 2, side: WIDE})[0];
    expect([scoreAt(2), scoreAt(4), scoreAt(5)]).toEqual([1, 1, 0]);
  });

  it('compares within a scene, and not across the end of a row', () => {
    const dot = (place: number) => pixels.map((at) => (at === place ? 1 : 0));
    const score = (truth: number[], found: number[]) => boundaryF1ByKind([{truth, found}], {kinds: 2, side: WIDE})[0];
    expect(score(dot(2 * WIDE - 1), dot(2 * WIDE))).toBe(0);
    expect(score(dot(2 * WIDE), dot(2 * WIDE + 2))).toBe(1);
  });
});

describe('pixelQualityOf', () => {
  it('has the mean IoU of background and digits, the IoU and the boundary of digits', () => {
    const truth = new Uint8Array(96 * 96);
    const found = new Uint8Array(96 * 96);
    for (let x = 10; x < 20; x++) {
      truth[30 * 96 + x] = 1;
      found[30 * 96 + x + 5] = 1;
    }
    const background = (9216 - 15) / (9216 - 5);
    const {meanIou, digitIou, boundaryF1} = pixelQualityOf([{truth, found}]);
    expect(digitIou).toBeCloseTo(5 / 15, 4);
    expect(meanIou).toBeCloseTo((background + 5 / 15) / 2, 4);
    // Five of ten pixels overlap, and two more are near.
    expect(boundaryF1).toBeCloseTo(0.7, 10);
  });
});
