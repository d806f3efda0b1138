import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {ANCHORS, decodeBox, encodeBox, MATCHED, matchAnchors} from '../../../studies/detection/anchors';
import {type Box, iouOf} from '../../../studies/kit/scenes/box';
import {SIDE} from '../../../studies/kit/scenes/scene';
import {RUNS} from '../../support/property';

const sides = fc.integer({min: 4, max: 44});
const boxes: fc.Arbitrary<Box> = fc
  .record({
    height: sides,
    width: sides,
    y: fc.double({min: 0, max: 1, noNaN: true}),
    x: fc.double({min: 0, max: 1, noNaN: true}),
  })
  .map(({height, width, y, x}) => {
    const [top, left] = [Math.floor(y * (SIDE - height)), Math.floor(x * (SIDE - width))];
    return [top, left, top + height, left + width];
  });
const objectsOf = fc.array(fc.record({box: boxes, label: fc.integer({min: 0, max: 9}), row: fc.constant(0)}), {
  minLength: 1,
  maxLength: 5,
});

describe('The anchors', () => {
  it('are nine for each cell of a map of 12 by 12 and one of 6 by 6, around the centre of the cell', () => {
    expect(ANCHORS).toHaveLength(9 * (144 + 36));
    expect(ANCHORS[0]).toEqual([4 - 6.5, 4 - 6.5, 4 + 6.5, 4 + 6.5]);
    // The second cell of the second row of the second map; its widest and largest anchor.
    expect(ANCHORS[9 * (144 + 7) + 6]).toEqual([4, 4, 44, 44]);
  });
});

describe('matchAnchors', () => {
  it('gives each object at least one anchor, the one that it overlaps most', () => {
    fc.assert(
      fc.property(objectsOf, (objects) => {
        const {kinds} = matchAnchors(objects);
        const matched = kinds.reduce((sum, kind) => sum + (kind > 0 ? 1 : 0), 0);
        expect(matched).toBeGreaterThanOrEqual(objects.length);
        const [first] = objects as [(typeof objects)[number]];
        const overlaps = ANCHORS.map((anchor) => iouOf(anchor, first.box));
        expect(kinds[overlaps.indexOf(Math.max(...overlaps))]).toBe(first.label + 1);
      }),
      {...RUNS, numRuns: 60},
    );
  });

  it('gives each anchor that overlaps an object by half an object, and no more others than there are objects', () => {
    fc.assert(
      fc.property(objectsOf, (objects) => {
        const {kinds} = matchAnchors(objects);
        const overlaps = ANCHORS.map((anchor) => Math.max(...objects.map(({box}) => iouOf(anchor, box))));
        const labels = new Set(objects.map(({label}) => label + 1));
        expect(kinds.every((kind) => kind === 0 || labels.has(kind))).toBe(true);
        expect(overlaps.every((overlap, anchor) => overlap < MATCHED || kinds[anchor] !== 0)).toBe(true);
        const forced = overlaps.filter((overlap, anchor) => overlap < MATCHED && kinds[anchor] !== 0);
        expect(forced.length).toBeLessThanOrEqual(objects.length);
      }),
      {...RUNS, numRuns: 60},
    );
  });

  it('takes the object that an anchor overlaps most, and the next best anchor if two objects share one', () => {
    const anchors: Box[] = [
      [0, 0, 10, 10],
      [0, 0, 10, 12],
      [50, 50, 60, 60],
    ];
    const objects = [
      {label: 3, row: 0, box: [0, 0, 10, 10] as Box},
      {label: 7, row: 0, box: [0, 0, 10, 11] as Box},
    ];
    // Anchor 0 is the best of the first object, and then anchor 1 that of the second.
    expect([...matchAnchors(objects, anchors).kinds]).toEqual([4, 8, 0]);
    expect([...matchAnchors(objects.slice(1), anchors).kinds]).toEqual([8, 8, 0]);
    const twice = [objects[0], objects[0]] as typeof objects;
    expect([...matchAnchors(twice, anchors).kinds]).toEqual([4, 4, 0]);
  });

  it('teaches the offsets of the object, and none for background', () => {
    fc.assert(
      fc.property(objectsOf, (objects) => {
        const {kinds, offsets} = matchAnchors(objects);
        for (const [anchor, kind] of kinds.entries()) {
          const own = offsets.subarray(4 * anchor, 4 * anchor + 4);
          if (kind === 0) expect([...own]).toEqual([0, 0, 0, 0]);
          else {
            const box = decodeBox(own, ANCHORS[anchor] as Box);
            expect(objects.some((object) => object.label + 1 === kind && iouOf(object.box, box) > 0.999)).toBe(true);
          }
        }
      }),
      {...RUNS, numRuns: 30},
    );
  });
});

describe('The offsets of a box', () => {
  it('are those of SSD', () => {
    const [dy, dx, dh, dw] = encodeBox([10, 20, 30, 60], [8, 30, 28, 50]);
    expect([dy, dx, dh, dw]).toEqual([expect.closeTo(2 / 20 / 0.1), 0, 0, expect.closeTo(Math.log(2) / 0.2)]);
  });

  it('lead back to the box', () => {
    fc.assert(
      fc.property(boxes, boxes, (box, anchor) => {
        const decoded = decodeBox(encodeBox(box, anchor), anchor);
        for (const [place, edge] of decoded.entries()) expect(edge).toBeCloseTo(box[place] as number, 8);
      }),
      RUNS,
    );
  });

  it('stay finite, whatever is predicted', () => {
    expect(decodeBox([1e6, -1e6, 1e6, -1e6], [0, 0, 10, 10]).every(Number.isFinite)).toBe(true);
  });
});
