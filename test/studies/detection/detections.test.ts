import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {encodeBox} from '../../../studies/detection/anchors';
import {DETECTION_PROTOCOL, detectionsOf, suppressOverlaps} from '../../../studies/detection/detections';
import {type Box, iouOf} from '../../../studies/kit/scenes/box';
import {KINDS, SIDE} from '../../../studies/kit/scenes/scene';
import {RUNS} from '../../support/property';

const edge = fc.integer({min: 0, max: 20});
const boxes: fc.Arbitrary<Box> = fc
  .tuple(edge, edge, fc.integer({min: 1, max: 12}), fc.integer({min: 1, max: 12}))
  .map(([y, x, height, width]) => [y, x, y + height, x + width]);

describe('suppressOverlaps', () => {
  it('keeps the best of boxes that overlap, and all that overlap none', () => {
    const found: Box[] = [
      [0, 0, 10, 10],
      [0, 1, 10, 11],
      [20, 20, 30, 30],
    ];
    expect(suppressOverlaps(found, [0.5, 0.9, 0.7], 0.5)).toEqual([1, 2]);
    expect(suppressOverlaps(found, [0.5, 0.5, 0.7], 0.5)).toEqual([2, 0]);
    expect(suppressOverlaps(found, [0.5, 0.9, 0.7], 0.9)).toEqual([1, 2, 0]);
  });

  it('leaves out a box if and only if a better kept one overlaps it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(boxes, fc.integer({min: 0, max: 5})), {maxLength: 12}),
        fc.constantFrom(0, 0.3, 0.5, 1),
        (scored, threshold) => {
          const [found, scores] = [scored.map(([box]) => box), scored.map(([, score]) => score)];
          const kept = suppressOverlaps(found, scores, threshold);
          const isBetter = (one: number, other: number) =>
            (scores[one] as number) > (scores[other] as number) || (scores[one] === scores[other] && one < other);
          for (const place of found.keys()) {
            const suppressors = kept.filter(
              (other) =>
                other !== place &&
                isBetter(other, place) &&
                iouOf(found[other] as Box, found[place] as Box) > threshold,
            );
            expect(kept.includes(place)).toBe(suppressors.length === 0);
          }
          expect(kept).toEqual([...kept].sort((one, other) => (isBetter(one, other) ? -1 : 1)));
        },
      ),
      RUNS,
    );
  });
});

describe('detectionsOf', () => {
  const anchors: Box[] = [
    [0, 0, 10, 10],
    [0, 2, 10, 12],
    [50, 50, 70, 70],
  ];
  const probabilitiesOf = (rows: Record<number, number>[]) =>
    rows.flatMap((row) => Array.from({length: KINDS}, (_, kind) => row[kind] ?? 0));
  const none = anchors.flatMap(() => [0, 0, 0, 0]);

  it('has a box for each kind that an anchor may show, best first, without background', () => {
    const found = detectionsOf(probabilitiesOf([{0: 0.9, 4: 0.1}, {0: 1}, {1: 0.3, 10: 0.6}]), none, anchors);
    expect(found.map(({label, score}) => [label, score])).toEqual([
      [9, 0.6],
      [0, 0.3],
      [3, 0.1],
    ]);
    expect(found[0]?.box).toEqual([50, 50, 70, 70]);
  });

  it('suppresses overlaps of one digit, not of two', () => {
    const found = detectionsOf(probabilitiesOf([{4: 0.8}, {4: 0.9, 5: 0.1}, {}]), none, anchors);
    expect(found.map(({label, score}) => [label, score])).toEqual([
      [3, 0.9],
      [4, 0.1],
    ]);
  });

  it('leaves out what is nearly impossible, and what lies beyond the scene', () => {
    const offsets = [...none];
    offsets.splice(8, 4, ...encodeBox([80, 80, 120, 110], anchors[2] as Box));
    const found = detectionsOf(probabilitiesOf([{2: DETECTION_PROTOCOL.least / 2}, {}, {2: 0.5}]), offsets, anchors);
    expect(found).toHaveLength(1);
    expect(found[0]?.box).toEqual([expect.closeTo(80), expect.closeTo(80), SIDE, SIDE]);
  });

  it('has no more than the largest number', () => {
    const many = Array.from({length: 90}, (_, place): Box => [place, 0, place + 1, 1]);
    const found = detectionsOf(
      probabilitiesOf(many.map((_, place) => ({3: 0.1 + place / 1000}))),
      many.flatMap(() => [0, 0, 0, 0]),
      many,
    );
    expect(found).toHaveLength(DETECTION_PROTOCOL.most);
    expect(found[0]?.score).toBeCloseTo(0.189);
  });
});
