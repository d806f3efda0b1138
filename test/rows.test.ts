import {tensor, tensor1d, tensor2d, tidy} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {putRows, takeRows} from '../src/rows';
import {describeOnBackends} from './support/backends';

describeOnBackends('rows', (backend) => {
  it('are taken along the first axis, in any order and more than once', () => {
    tidy(() => {
      const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 2, 2]);
      // Row numbers of any type, as selectors may give them.
      for (const rows of [tensor1d([2, 0, 2], 'int32'), tensor1d([2, 0, 2])]) {
        const taken = takeRows(x, rows);
        expect(taken.shape).toEqual([3, 2, 2]);
        expect([...taken.dataSync()]).toEqual([9, 10, 11, 12, 1, 2, 3, 4, 9, 10, 11, 12]);
      }
      expect([...takeRows(tensor1d([5, 6, 7]), tensor1d([1], 'int32')).dataSync()]).toEqual([6]);
    });
  });

  it('keep their type, and must be there', () => {
    tidy(() => {
      const rows = tensor1d([1, 1, 0], 'int32');
      const flags = takeRows(tensor1d([true, false], 'bool'), rows);
      expect([flags.dtype, ...flags.dataSync()]).toEqual(['bool', 0, 0, 1]);
      const numbers = takeRows(tensor1d([7, -8], 'int32'), rows);
      expect([numbers.dtype, ...numbers.dataSync()]).toEqual(['int32', -8, -8, 7]);
      // The stock kernel of wasm takes no texts, and reads beyond a tensor.
      if (backend !== 'cpu') return;
      const texts = takeRows(tensor1d(['a', 'b']), rows);
      expect([...texts.dataSync()]).toEqual(['b', 'b', 'a']);
      for (const row of [2, -1]) {
        const missing = () => takeRows(tensor1d([7, 8]), tensor1d([row], 'int32'));
        expect(missing).toThrow(`takeRows: the row ${row} is not in [0, 1]`);
      }
    });
  });

  it('are put among zeros, and added if they go to the same place', () => {
    tidy(() => {
      const values = tensor2d([
        [1, 2],
        [3, 4],
        [10, 20],
      ]);
      for (const rows of [tensor1d([2, 0, 2], 'int32'), tensor1d([2, 0, 2])]) {
        const put = putRows(values, rows, 4);
        expect(put.shape).toEqual([4, 2]);
        expect([...put.dataSync()]).toEqual([3, 4, 0, 0, 11, 22, 0, 0]);
      }
    });
  });
});
