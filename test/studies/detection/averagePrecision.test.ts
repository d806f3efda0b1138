import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  averagePrecision,
  type Judged,
  meanAveragePrecision,
  OVERLAPS,
  qualityOf,
  verdictsOf,
} from '../../../studies/detection/averagePrecision';
import type {Detection} from '../../../studies/detection/detections';
import {type Box, iouOf} from '../../../studies/kit/scenes/box';
import {RUNS} from '../../support/property';

// Few places and scores, so that overlaps and ties are frequent.
const small = (max: number) => fc.integer({min: 0, max});
const boxes: fc.Arbitrary<Box> = fc
  .tuple(small(3), small(3), small(3), small(3))
  .map(([y, x, height, width]) => [2 * y, 2 * x, 2 * y + 8 + height, 2 * x + 8 + width]);
const labels = small(2);
const scenes: fc.Arbitrary<Judged[]> = fc
  .array(
    fc.record({
      objects: fc.array(fc.record({label: labels, box: boxes}), {maxLength: 4}),
      detections: fc.array(fc.record({label: labels, box: boxes, score: small(6).map((sixths) => (sixths + 1) / 8)}), {
        maxLength: 6,
      }),
    }),
    {minLength: 1, maxLength: 4},
  )
  .map((all) => all.map(({objects, detections}) => ({objects, detections: sorted(detections)})))
  .filter((all) => all.some(({objects}) => objects.length > 0));

const sorted = (detections: Detection[]) =>
  detections
    .map((detection, place) => ({detection, place}))
    .sort((one, other) => other.detection.score - one.detection.score || one.place - other.place)
    .map(({detection}) => detection);

/**
 * The mean average precision by its definition: for each number of best detections, all matches are
 * made anew; for each recall, all of these numbers are tried.
 */
function bruteForce(all: Judged[], overlap: number): number {
  const shown = [0, 1, 2].filter((label) => all.some(({objects}) => objects.some((object) => object.label === label)));
  const precisions = shown.map((label) => {
    const ranked = all
      .flatMap(({detections}, scene) => detections.map((detection) => ({scene, ...detection})))
      .filter((detection) => detection.label === label)
      .map((detection, place) => ({...detection, place}))
      .sort((one, other) => other.score - one.score || one.place - other.place);
    const wanted = all.flatMap(({objects}, scene) => objects.map((object) => ({scene, ...object})));
    const total = wanted.filter((object) => object.label === label).length;
    const rightAmong = (count: number) => {
      const taken = new Set<(typeof wanted)[number]>();
      for (const {scene, box} of ranked.slice(0, count)) {
        const candidates = wanted.filter(
          (object) =>
            object.scene === scene && object.label === label && !taken.has(object) && iouOf(box, object.box) >= overlap,
        );
        const most = Math.max(...candidates.map((object) => iouOf(box, object.box)));
        const match = candidates.filter((object) => iouOf(box, object.box) === most).at(-1);
        if (match) taken.add(match);
      }
      return taken.size;
    };
    const points = ranked.map((_, place) => ({
      recall: rightAmong(place + 1) / total,
      precision: rightAmong(place + 1) / (place + 1),
    }));
    const atRecalls = Array.from({length: 101}, (_, percent) =>
      Math.max(0, ...points.filter(({recall}) => recall >= percent / 100).map(({precision}) => precision)),
    );
    return atRecalls.reduce((sum, precision) => sum + precision, 0) / 101;
  });
  return precisions.reduce((sum, precision) => sum + precision, 0) / precisions.length;
}

describe('meanAveragePrecision', () => {
  it('is that of the definition, tried by brute force', () => {
    fc.assert(
      fc.property(scenes, fc.constantFrom(...OVERLAPS), (all, overlap) => {
        expect(meanAveragePrecision(all, overlap)).toBeCloseTo(bruteForce(all, overlap), 12);
      }),
      {...RUNS, numRuns: 400},
    );
  });

  it('is 1 if each digit is found first, and 0 if none is', () => {
    fc.assert(
      fc.property(scenes, (all) => {
        const perfect = all.map(({objects}) => ({
          objects,
          detections: objects.map((object) => ({...object, score: 1})),
        }));
        for (const overlap of OVERLAPS) expect(meanAveragePrecision(perfect, overlap)).toBe(1);
        const nothing = all.map(({objects}) => ({objects, detections: []}));
        expect(meanAveragePrecision(nothing, 0.5)).toBe(0);
      }),
      RUNS,
    );
  });

  it('does not fall when a worse detection than all others is added', () => {
    fc.assert(
      fc.property(scenes, boxes, (all, box) => {
        const [first, ...others] = all as [Judged, ...Judged[]];
        const worst = {label: 1, box, score: 0.01};
        const more = [{...first, detections: [...first.detections, worst]}, ...others];
        expect(meanAveragePrecision(more, 0.5)).toBeGreaterThanOrEqual(meanAveragePrecision(all, 0.5) - 1e-12);
      }),
      RUNS,
    );
  });
});

describe('averagePrecision', () => {
  it('has the best precision at each of the 101 recalls', () => {
    const of = (...marks: number[]) =>
      marks.map((mark, place) => ({label: 0, isRight: mark === 1, score: 1 - place / 10}));
    // Recall 0.5 with precision 1, recall 1 with precision 2/3.
    expect(averagePrecision(of(1, 0, 1), 2)).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
    // A better precision at a larger recall counts for the smaller ones too.
    expect(averagePrecision(of(0, 1, 1), 2)).toBeCloseTo(2 / 3, 12);
    expect(averagePrecision(of(0, 0), 3)).toBe(0);
  });
});

describe('verdictsOf', () => {
  const objects = [
    {label: 3, box: [0, 0, 10, 10] as Box},
    {label: 3, box: [0, 4, 10, 14] as Box},
  ];
  const at = (x: number, score: number, label = 3) => ({label, score, box: [0, x, 10, x + 10] as Box});

  it('gives each object to one detection, the best', () => {
    const detections = [at(0, 0.9), at(0, 0.8), at(4, 0.7), at(4, 0.6), at(0, 0.5, 4)];
    expect(verdictsOf({objects, detections}, 0.7).map(({isRight}) => isRight)).toEqual([
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  it('lets a detection take what it overlaps most', () => {
    // It overlaps both objects by more than a half; the next one has only the first left.
    const detections = [at(3, 0.9), at(4, 0.8)];
    expect(verdictsOf({objects, detections}, 0.5).map(({isRight}) => isRight)).toEqual([true, false]);
  });
});

describe('qualityOf', () => {
  const box: Box = [0, 0, 10, 10];
  const away: Box = [50, 50, 60, 60];

  it('counts false positives and found digits at a score of a half', () => {
    const quality = qualityOf([
      {
        objects: [
          {label: 1, box},
          {label: 2, box: away},
        ],
        detections: [
          {label: 1, score: 0.9, box},
          {label: 2, score: 0.6, box},
          {label: 2, score: 0.4, box: away},
        ],
      },
      {objects: [{label: 1, box}], detections: [{label: 1, score: 0.7, box: away}]},
    ]);
    expect([quality.falsePositives, quality.recall]).toEqual([1, 0.33333]);
    // Two of three digits is the most that is found.
    expect(quality.falsePositivesAt80).toBeNull();
  });

  it('counts the false positives before the detection that completes four of five digits', () => {
    const objects = Array.from({length: 5}, (_, place) => ({label: place, box}));
    const right = (label: number, score: number) => ({label, score, box});
    const wrong = (score: number) => ({label: 9, score, box: away});
    const detections = [right(0, 0.9), wrong(0.8), right(1, 0.7), right(2, 0.6), wrong(0.5), right(3, 0.4), wrong(0.3)];
    expect(
      qualityOf([
        {objects, detections},
        {objects: [], detections: []},
      ]).falsePositivesAt80,
    ).toBe(1);
  });

  it('averages over the overlaps', () => {
    fc.assert(
      fc.property(scenes, (all) => {
        const mean = OVERLAPS.reduce((sum, overlap) => sum + bruteForce(all, overlap), 0) / OVERLAPS.length;
        expect(qualityOf(all).map).toBeCloseTo(mean, 4);
      }),
      {...RUNS, numRuns: 30},
    );
  });
});
