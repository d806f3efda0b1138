import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {nmsTopK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {survivorsOnDevice, survivorsOnHost} from '../../src/selectors/nmsTopK';
import {describeOnBackends} from '../support/backends';
import {byLoss, contextOf, isUsable, lossesOf, type Row, rows} from '../support/groupRules';
import {RUNS, randomFrom} from '../support/property';
import {keeps, keptRows, selected, shareOf} from '../support/selections';
import {inProduction, leftBy} from '../support/tensors';

type Box = [y1: number, x1: number, y2: number, x2: number];
const boxes = (list: readonly Box[]) => tf.tensor2d(list as Box[], [list.length, 4]);

/** Intersection over union. */
function iou(a: Box, b: Box): number {
  const side = (axis: 0 | 1) =>
    Math.max(0, Math.min(a[axis + 2] as number, b[axis + 2] as number) - Math.max(a[axis], b[axis]));
  const area = (box: Box) => (box[2] - box[0]) * (box[3] - box[1]);
  const shared = side(0) * side(1);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}

/** Greedy suppression in plain JavaScript. */
function survivors(batch: readonly Row[], list: readonly Box[], threshold: number): number[] {
  const kept: Row[] = [];
  for (const one of batch.filter(isUsable).sort(byLoss)) {
    const isCovered = ({row, group}: Row) =>
      group === one.group && iou(list[row] as Box, list[one.row] as Box) > threshold;
    if (!kept.some(isCovered)) kept.push(one);
  }
  return kept.map(({row}) => row);
}

/** Boxes with corners on a grid, so that many overlap by ratios of small integers. */
function boxesOn(grid: number, count: number, seed: number): Box[] {
  const random = randomFrom(seed);
  const span = () => {
    const [a, b] = [Math.floor(random() * grid), Math.floor(random() * grid)];
    return [Math.min(a, b), Math.max(a, b)] as const;
  };
  return Array.from({length: count}, () => {
    const [[y1, y2], [x1, x2]] = [span(), span()];
    return [y1, x1, y2, x2] as Box;
  });
}

/** A box with corners off the grid. */
const nudged = ([y1, x1, y2, x2]: Box, random: () => number): Box => [y1, x1, y2 + random(), x2 + random()];

const NESTED: Box[] = [
  [0, 0, 10, 10],
  [0, 1, 10, 10], // 0.9 of the first
  [20, 20, 30, 30],
  [0, 2, 10, 10], // 0.8 of the first, 0.889 of the second
];

describeOnBackends('nmsTopK', () => {
  it('finds the same survivors on the host as in kernels', () => {
    const cases = fc.record({
      ...{seed: fc.integer(), size: fc.integer({min: 1, max: 24}), count: fc.integer({min: 1, max: 24})},
      ...{iouThreshold: fc.constantFrom(0, 0.3, 0.5, 0.7, 1), groups: fc.integer({min: 0, max: 3})},
    });
    const property = fc.property(cases, ({seed, size, count, iouThreshold, groups}) => {
      const random = randomFrom(seed);
      const found = tf.tidy(() => {
        // On a grid ratios tie with thresholds; off it, rounding decides.
        const list = random() < 0.5 ? boxesOn(6, size, seed) : boxesOn(6, size, seed).map((box) => nudged(box, random));
        const edges = tf.unstack(boxes(list), 1) as never;
        const draw = (below: number) => Int32Array.from({length: size}, () => Math.floor(random() * below));
        const ids = groups > 0 ? tf.tensor1d(Float32Array.from(draw(groups))) : undefined;
        const candidates = tf.tensor1d(
          Uint8Array.from(draw(4), (value) => +(value > 0)),
          'bool',
        );
        return [survivorsOnHost, survivorsOnDevice].map((survivorsOn) =>
          Array.from(survivorsOn(candidates, {edges, ids, iouThreshold}, Math.min(count, size)).dataSync()),
        );
      }) as unknown as [number[], number[]];
      expect(found[0]).toEqual(found[1]);
    });
    fc.assert(property, RUNS);
  });

  it('leaves out boxes that overlap a kept one by more than the threshold', () => {
    expect(selected(nmsTopK({k: 3, iouThreshold: 0.5}), [0.9, 0.8, 0.1, 0.7], {boxes: boxes(NESTED)})).toEqual({
      indices: [0, 2, 1],
      weights: [1, 1, 0],
    });
  });

  it('lets a box stay that only one that is left out overlaps', () => {
    expect(
      keptRows(selected(nmsTopK({k: 3, iouThreshold: 0.85}), [0.9, 0.8, 0.1, 0.7], {boxes: boxes(NESTED)})),
    ).toEqual([0, 3, 2]);
  });

  it('lets a box stay that overlaps by the threshold itself', () => {
    const halves: Box[] = [
      [0, 0, 2, 2],
      [0, 0, 1, 2],
    ];
    expect(keptRows(selected(nmsTopK({k: 2, iouThreshold: 0.5}), [2, 1], {boxes: boxes(halves)}))).toEqual([0, 1]);
    expect(keptRows(selected(nmsTopK({k: 2, iouThreshold: 0.49}), [2, 1], {boxes: boxes(halves)}))).toEqual([0]);
  });

  it('keeps the first of the same boxes, and all of them where the threshold is 1', () => {
    const same = boxes(Array(4).fill([0, 0, 5, 5]));
    expect(keptRows(selected(nmsTopK({k: 4}), [1, 1, 1, 1], {boxes: same}))).toEqual([0]);
    expect(keptRows(selected(nmsTopK({k: 3, iouThreshold: 1}), [1, 2, 1, 1], {boxes: same}))).toEqual([1, 0, 2]);
  });

  it('suppresses within a group only', () => {
    const context = {boxes: boxes(NESTED), group: tf.tensor1d([1, 2, 1, 1], 'int32')};
    expect(keptRows(selected(nmsTopK({k: 4, iouThreshold: 0.5}), [0.9, 0.8, 0.1, 0.7], context))).toEqual([0, 1, 2]);
  });

  it('takes a box without area for one that overlaps nothing', () => {
    const flat = boxes(Array(3).fill([1, 1, 1, 4]));
    expect(keptRows(selected(nmsTopK({k: 3, iouThreshold: 0}), [1, 2, 3], {boxes: flat}))).toEqual([2, 1, 0]);
  });

  it('keeps the first survivors of greedy suppression by loss, whatever is in the batch', () => {
    const thresholds = fc.constantFrom(0, 0.1, 0.3, 0.5, 0.7, 0.9, 1);
    const property = fc.property(rows, keeps, thresholds, fc.nat(), (batch, keep, iouThreshold, seed) => {
      const list = boxesOn(6, batch.length, seed);
      const {valid, group} = contextOf(batch);
      const context = {valid, group, boxes: boxes(list)};
      const count = 'k' in keep ? keep.k : shareOf(keep, batch.filter((one) => one.valid).length);
      const kept = keptRows(selected(nmsTopK({...keep, iouThreshold}), lossesOf(batch), context));
      expect(kept).toEqual(survivors(batch, list, iouThreshold).slice(0, count));
    });
    fc.assert(property, RUNS);
  });

  it('works for more boxes than a matrix of overlaps would hold', () => {
    const random = randomFrom(3);
    const size = 5000;
    const batch = Array.from({length: size}, (_, row) => ({
      row,
      loss: Math.fround(random()),
      valid: true,
      positive: true,
      group: row % 2,
    }));
    const list = boxesOn(30, size, 4);
    const context = {
      boxes: boxes(list),
      group: tf.tensor1d(
        batch.map((one) => one.group),
        'int32',
      ),
    };
    const kept = keptRows(selected(nmsTopK({k: 40, iouThreshold: 0.3}), lossesOf(batch), context));
    expect(kept).toEqual(survivors(batch, list, 0.3).slice(0, 40));
  });

  it('refuses boxes that are none in development; in production they are not kept', () => {
    const cases: [Box, string][] = [
      [[3, 0, 1, 2], 'y2 - y1 >= 0, got -2'],
      [[0, 3, 2, 2], 'x2 - x1 >= 0, got -1'],
      [[0, Number.NaN, 2, 2], 'x2 - x1 >= 0, got NaN'],
      [[0, 0, Number.POSITIVE_INFINITY, 2], 'y2 - y1 >= 0, got Infinity'],
    ];
    for (const [wrong, said] of cases) {
      const context = {boxes: boxes([NESTED[0] as Box, wrong, NESTED[2] as Box])};
      expect(() => nmsTopK({k: 2})(tf.tensor1d([1, 2, 3]), context)).toThrow(
        new RangeError(`nmsTopK: boxes must have a finite side ${said} at position 1.`),
      );
      expect(selected(nmsTopK({k: 3}), [1, 2, 3], {...context, valid: tf.tensor1d([1, 0, 1])}).weights).toEqual([
        1, 1, 0,
      ]);
      expect(inProduction(() => selected(nmsTopK({k: 3}), [1, 2, 3], context))).toEqual({
        indices: [2, 0, 1],
        weights: [1, 1, 0],
      });
    }
  });

  it('refuses to work without boxes, or with ones of another shape, and leaks nothing then', () => {
    const losses = tf.tensor1d([1, 2]);
    const missing = () =>
      expect(() => nmsTopK({k: 1})(losses)).toThrow(
        new TypeError(
          'nmsTopK: boxes must be in the context, got undefined. Pass it with each batch: step(xs, ys, {boxes}), or {context: {boxes}} in fitOhem; float32[B, 4]: y1, x1, y2, x2.',
        ),
      );
    expect(leftBy(() => void missing())).toBe(0);
    const context = {boxes: tf.ones<tf.Rank.R2>([2, 3])};
    const wrong = () =>
      expect(() => nmsTopK({k: 1})(losses, context)).toThrow(
        new TypeError('nmsTopK: boxes must have shape [2, 4]: y1, x1, y2, x2, got [2, 3].'),
      );
    expect(leftBy(() => void wrong())).toBe(0);
  });

  it('refuses wrong options when it is built', () => {
    expect(() => nmsTopK({k: 1, iouThreshold: 1.1})).toThrow(
      new RangeError('nmsTopK: iouThreshold must be in [0, 1], got 1.1.'),
    );
    expect(() => nmsTopK({iouThreshold: 0.5} as never)).toThrow(
      new TypeError('nmsTopK: options must have either k or ratio, got {}. Pass {k: 32} or {ratio: 0.75}.'),
    );
  });
});
