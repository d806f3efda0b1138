import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {type IouBalancedNegativesOptions, iouBalancedNegatives, type SelectionContext} from 'ohem-tfjs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectCounts, uniforms} from '../support/draws';
import {RUNS, randomFrom} from '../support/property';
import {keptRows, marks, selected} from '../support/selections';
import {leftBy} from '../support/tensors';

interface Box {
  row: number;
  loss: number;
  overlap: number;
  positive: number;
  valid: number;
  group: number;
}

const isUsable = ({valid, loss}: Box) => valid === 1 && Number.isFinite(loss);

/** The rule one by one: the steps of mmdetection's sampler, with the same random numbers. */
function keptInJs(boxes: readonly Box[], options: IouBalancedNegativesOptions, random: readonly number[]): number[] {
  const {k, bins = 3, floorThreshold, floorFraction = 0} = options;
  const at = (row: number) => Math.fround(random[row] as number);
  const drawn = (list: readonly Box[], most: number) =>
    [...list].sort((a, b) => at(b.row) - at(a.row) || a.row - b.row).slice(0, most);
  const without = (list: readonly Box[], others: readonly Box[]) => list.filter((box) => !others.includes(box));
  const ofGroup = (group: number): Box[] => {
    const own = boxes.filter((box) => isUsable(box) && box.group === group);
    const negatives = own.filter(({positive}) => positive === 0);
    const isOver = ({overlap}: Box) =>
      floorThreshold === undefined || (floorThreshold === 0 ? overlap > 0 : overlap >= floorThreshold);
    const [over, under] = [negatives.filter(isOver), negatives.filter((box) => !isOver(box))];
    const spread = Math.floor(k * (1 - floorFraction) + 1e-9);
    const from = floorThreshold ?? 0;
    const width = (Math.max(...over.map(({overlap}) => overlap)) - from) / bins;
    const binOf = ({overlap}: Box) => (width > 0 ? Math.min(Math.floor((overlap - from) / width), bins - 1) : 0);
    const evenly = Array.from({length: bins}, (_, bin) =>
      drawn(
        over.filter((box) => binOf(box) === bin),
        Math.floor(spread / bins),
      ),
    ).flat();
    const filled = [...evenly, ...drawn(without(over, evenly), spread - evenly.length)];
    const withFloor = [...filled, ...drawn(under, k - filled.length)];
    const all = [...withFloor, ...drawn(without(over, filled), k - withFloor.length)];
    return [...own.filter(({positive}) => positive === 1), ...all];
  };
  const groups = [...new Set(boxes.map(({group}) => group))];
  return groups
    .flatMap(ofGroup)
    .sort((a, b) => b.loss - a.loss || a.row - b.row)
    .map(({row}) => row);
}

const contextOf = (boxes: readonly Box[], step = 0): SelectionContext => ({
  step,
  overlap: tf.tensor1d(boxes.map(({overlap}) => overlap)),
  positive: marks(boxes.map(({positive}) => positive)),
  valid: marks(boxes.map(({valid}) => valid)),
  group: marks(
    boxes.map(({group}) => group),
    'int32',
  ),
});

const kept = (options: IouBalancedNegativesOptions, boxes: readonly Box[], step = 0) =>
  tf.tidy(() => {
    const losses = boxes.map(({loss}) => loss);
    return keptRows(selected(iouBalancedNegatives(options), losses, contextOf(boxes, step)));
  });

/** Boxes of which most hardly overlap; overlaps are multiples of 1/64, losses all different. */
function boxesOf(count: number, groups: number, seed: number): Box[] {
  const random = randomFrom(seed);
  return Array.from({length: count}, (_, row) => ({
    ...{row, loss: random(), overlap: Math.floor(random() ** 3 * 48) / 64, positive: random() < 0.15 ? 1 : 0},
    ...{valid: random() < 0.9 ? 1 : 0, group: Math.floor(random() * groups)},
  }));
}

const plain = (overlaps: readonly number[]): Box[] =>
  overlaps.map((overlap, row) => ({row, overlap, loss: 1 - row / 1000, positive: 0, valid: 1, group: 0}));

describeOnBackends('iouBalancedNegatives', () => {
  it('keeps all positives, and as many negatives of each range', () => {
    const overlaps = [...Array(20).fill(0.05), 0.2, 0.25, 0.28, 0.5, 0.55, 0.6];
    const boxes = [...plain(overlaps), {row: 26, overlap: 0.9, loss: 0.5, positive: 1, valid: 1, group: 0}];
    for (let step = 0; step < 10; step++) {
      const rows = kept({k: 6}, boxes, step);
      const inRange = (from: number, to: number) => rows.filter((row) => row >= from && row < to).length;
      expect([inRange(0, 20), inRange(20, 23), inRange(23, 26), inRange(26, 27)]).toEqual([2, 2, 2, 1]);
    }
  });

  it('draws each row of a range with the same chance', () => {
    const boxes = plain([0.01, 0.02, 0.03, 0.04, 0.5, 0.6]);
    const counts = Array<number>(6).fill(0);
    for (let step = 0; step < 2000; step++) {
      for (const row of kept({k: 2, bins: 2, seed: 5}, boxes, step)) counts[row] = (counts[row] as number) + 1;
    }
    expectCounts(counts, [0.25, 0.25, 0.25, 0.25, 0.5, 0.5], 2000);
  });

  it('has the box of the largest overlap in the last range, where mmdetection leaves it out of all', () => {
    const boxes = plain([0.1, 0.1, 0.1, 0.1, 0.1, 0.6]);
    for (let step = 0; step < 10; step++) expect(kept({k: 2, bins: 2}, boxes, step)).toContain(5);
  });

  it('draws a share from under the floor, and fills up from there first', () => {
    const boxes = plain([0, 0, 0, 0, 0.3, 0.4, 0.5, 0.6]);
    const under = (rows: number[], floor = 0) => rows.filter((row) => (boxes[row] as Box).overlap <= floor).length;
    for (let step = 0; step < 10; step++) {
      expect(under(kept({k: 4, floorThreshold: 0, floorFraction: 0.5}, boxes, step))).toBe(2);
      expect(under(kept({k: 4, floorThreshold: 0.55}, boxes, step), 0.55)).toBe(3);
      expect(under(kept({k: 8, floorThreshold: 0, floorFraction: 0.5}, boxes, step))).toBe(4);
    }
  });

  it('keeps the same for the same seed and step, and others at other steps', () => {
    const boxes = boxesOf(60, 1, 3);
    const rows = Array.from({length: 5}, (_, step) => kept({k: 6, seed: 9}, boxes, step));
    expect(kept({k: 6, seed: 9}, boxes, 2)).toEqual(rows[2]);
    expect(new Set(rows.map(String)).size).toBeGreaterThan(1);
  });

  it('keeps what the same numbers keep one by one, from any batch', () => {
    const property = fc.property(
      fc.integer({min: 1, max: 40}),
      fc.integer({min: 1, max: 3}),
      fc.record({
        k: fc.integer({min: 1, max: 12}),
        bins: fc.integer({min: 1, max: 4}),
        floorThreshold: fc.constantFrom(undefined, 0, 0.1, 0.5),
        floorFraction: fc.constantFrom(0, 0.25, 0.5, 1),
        seed: fc.integer(),
      }),
      fc.integer(),
      (count, groups, {floorThreshold, ...others}, seed) => {
        const boxes = boxesOf(count, groups, seed);
        const options = {...others, ...(floorThreshold !== undefined && {floorThreshold})};
        // Of thirds of 1/64, float32 and float64 may see the edge on either side.
        const isOnEdge = boxes.some((box) => {
          const own = boxes.filter((other) => isUsable(other) && other.positive === 0 && other.group === box.group);
          const width = (Math.max(0, ...own.map(({overlap}) => overlap)) - (floorThreshold ?? 0)) / options.bins;
          const place = (box.overlap - (floorThreshold ?? 0)) / width;
          return place < options.bins - 0.5 && Math.abs(place - Math.round(place)) < 1e-4 && Math.round(place) > 0;
        });
        if (isOnEdge) return;
        const random = tf.tidy(() => uniforms(count, options.seed, 4));
        expect(kept(options, boxes, 4)).toEqual(keptInJs(boxes, options, random));
      },
    );
    fc.assert(property, RUNS);
  });

  it('refuses wrong options when it is built, and wrong overlaps when it is called', () => {
    const built = (options: object) => () => iouBalancedNegatives({k: 4, ...options});
    expect(built({k: 0})).toThrow(new RangeError('iouBalancedNegatives: k must be an integer >= 1, got 0.'));
    expect(built({bins: 0})).toThrow(new RangeError('iouBalancedNegatives: bins must be an integer >= 1, got 0.'));
    expect(built({floorThreshold: -1})).toThrow(
      new RangeError('iouBalancedNegatives: floorThreshold must be in [0, 1), got -1.'),
    );
    expect(built({floorFraction: 2})).toThrow(
      new RangeError('iouBalancedNegatives: floorFraction must be in [0, 1], got 2.'),
    );
    const [losses, positive] = [tf.tensor1d([1, 2]), tf.tensor1d([0, 1])];
    const refused = (context: SelectionContext, message: string) => {
      const call = () => iouBalancedNegatives({k: 4})(losses, {positive, ...context});
      expect(leftBy(() => void expect(call).toThrow(message))).toBe(0);
    };
    refused(
      {},
      'iouBalancedNegatives: overlap must be in the context, got undefined. Pass it with each batch: ' +
        'step(xs, ys, {overlap}), or {context: {overlap}} in fitOhem; the largest IoU of each row with an object.',
    );
    refused({overlap: tf.tensor1d([1])}, 'iouBalancedNegatives: overlap must have shape [2], one value for each row');
    refused(
      {overlap: tf.tensor1d([0, 1.5])},
      'iouBalancedNegatives: overlap must be from 0 to 1, got 1.5 at position 1.',
    );
  });
});

describe('iouBalancedNegatives', () => {
  afterEach(() => vi.restoreAllMocks());

  it('warns of a share under a floor that there is not', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    iouBalancedNegatives({k: 4, floorThreshold: 0.1, floorFraction: 0.5});
    expect(warn).not.toHaveBeenCalled();
    iouBalancedNegatives({k: 4, floorFraction: 0.5});
    expect(warn.mock.calls).toEqual([
      ['iouBalancedNegatives: floorFraction has no effect without a floorThreshold: all negatives are spread.'],
    ]);
  });
});
