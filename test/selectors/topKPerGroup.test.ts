import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {topKPerGroup} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {contextOf, lossesOf, ofEachGroup, rows} from '../support/groupRules';
import {RUNS} from '../support/property';
import {keeps, keptRows, largestRows, lossRows, selected, shareOf} from '../support/selections';
import {inProduction} from '../support/tensors';

const LOSSES = [0.9, 0.8, 0.1, 0.3, 0.7];
const group = (ids: number[]) => tf.tensor1d(ids, 'int32');

describeOnBackends('topKPerGroup', () => {
  it('keeps the k hardest of each group, hardest first', () => {
    expect(selected(topKPerGroup({k: 1}), LOSSES, {group: group([0, 0, 1, 1, 0])})).toEqual({
      indices: [0, 3, 1, 4, 2],
      weights: [1, 1, 0, 0, 0],
    });
  });

  it('takes any integers for ids, in any order', () => {
    const ids = group([-(2 ** 24) + 1, 2 ** 24 - 1, -(2 ** 24) + 1, 2 ** 24 - 1, 0]);
    expect(keptRows(selected(topKPerGroup({k: 1}), LOSSES, {group: ids}))).toEqual([0, 1, 4]);
  });

  it('keeps a share of each group', () => {
    const ids = group([4, 4, 4, 4, 9]);
    expect(keptRows(selected(topKPerGroup({ratio: 0.5}), LOSSES, {group: ids}))).toEqual([0, 1, 4]);
    expect(keptRows(selected(topKPerGroup({ratio: 0.1, minK: 3}), LOSSES, {group: ids}))).toEqual([0, 1, 4, 3]);
  });

  it('keeps what topK does where there are no groups', () => {
    const property = fc.property(lossRows, keeps, (losses, keep) => {
      expect(keptRows(selected(topKPerGroup(keep), losses))).toEqual(largestRows(losses, keep));
    });
    fc.assert(property, RUNS);
  });

  it('keeps what topK does of the rows of each group', () => {
    const property = fc.property(rows, keeps, (batch, keep) => {
      const expected = ofEachGroup(batch, (usable, all) =>
        usable.slice(0, 'k' in keep ? keep.k : shareOf(keep, all.filter(({valid}) => valid).length)),
      );
      const {valid, group} = contextOf(batch);
      expect(keptRows(selected(topKPerGroup(keep), lossesOf(batch), {valid, group}))).toEqual(expected);
    });
    fc.assert(property, RUNS);
  });

  it('refuses ids that float32 does not hold in development; in production such a row is not kept', () => {
    const ids = group([0, 2 ** 24, 1, 1, 0]);
    expect(() => topKPerGroup({k: 1})(tf.tensor1d(LOSSES), {group: ids})).toThrow(
      new RangeError(
        'topKPerGroup: group must hold ids between -2^24 and 2^24, got 16777216 at position 1. Number the images of a batch from 0.',
      ),
    );
    expect(keptRows(inProduction(() => selected(topKPerGroup({k: 1}), LOSSES, {group: ids})))).toEqual([0, 3]);
  });
});
