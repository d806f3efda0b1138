import {dispose, sub, type Tensor, tensor1d, tensor2d, tidy} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {leadingPlace, rowCut} from '../../src/gradients/places';
import {putRows} from '../../src/rows';
import {describeOnBackends} from './support/backends';

describeOnBackends('Putting rows back', () => {
  it.each([{rows: [2]}, {rows: [1, 2]}, {rows: [3, 1, 3]}])('puts $rows among zeros', async ({rows}) => {
    const expected = new Array<number>(8).fill(0);
    for (const [i, row] of rows.entries()) {
      for (const column of [0, 1]) expected[2 * row + column] = (expected[2 * row + column] as number) + i + 0.5;
    }
    // What webgl computes behind the last row of an odd number is not 0.
    const values = () =>
      sub(
        tensor2d(
          rows.flatMap((_, i) => [i + 1, i + 1]),
          [rows.length, 2],
        ),
        0.5,
      ) as Tensor;
    const at = tensor1d(rows, 'int32');
    const cut = rowCut(at, 4);
    const puts = [tidy(() => putRows(values(), at, 4)), tidy(() => cut.put(values(), leadingPlace([4, 2], 4), [4, 2]))];
    for (const put of puts) expect([put.shape, [...(await put.data())]]).toEqual([[4, 2], expected]);
    cut.dispose();
    dispose([at, ...puts]);
  });
});
