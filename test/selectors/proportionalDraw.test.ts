import * as tf from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {drawInProportion} from '../../src/selectors/proportionalDraw';
import {describeOnBackends} from '../support/backends';
import {sumOf} from '../support/draws';
import {randomFrom} from '../support/property';

const drawn = (chances: ArrayLike<number>, ofBlocks: number[], inBlocks: number[]) =>
  tf.tidy(() => {
    const {indices, total} = drawInProportion(
      tf.tensor1d([...Array.from(chances)]),
      tf.tensor1d(ofBlocks),
      tf.tensor1d(inBlocks),
    );
    return {indices: [...indices.dataSync()], dtype: indices.dtype, total: total.dataSync()[0] as number};
  });

describeOnBackends('drawInProportion', () => {
  it('gives the row whose part of the whole a draw falls into', () => {
    // One block: its parts end at 0.1, 0.1, 0.4 and 1.
    const {indices, dtype, total} = drawn([1, 0, 3, 6], [0.5, 0.5, 0.5, 0.5, 0], [0, 0.099, 0.101, 0.401, 0.999]);
    expect([indices, dtype, total]).toEqual([[0, 0, 2, 3, 3], 'int32', 10]);
  });

  it('draws the block first', () => {
    const chances = [...Array(128).fill(1), ...Array(128).fill(3), 0, 512];
    // Blocks with 128, 384 and 512 of 1024.
    expect(drawn(chances, [0.124, 0.126, 0.499, 0.501], [0, 0, 0.9999, 0]).indices).toEqual([0, 128, 255, 257]);
  });

  it('never gives a row without a chance, at either end of a draw', () => {
    const chances = Array.from({length: 300}, (_, row) => (row % 3 === 1 ? 1 : 0));
    const ends = [0, 2 ** -33, 0.5, 1 - 2 ** -24];
    const [ofBlocks, inBlocks] = [ends.flatMap((end) => [end, end, end, end]), ends.flatMap(() => ends)];
    for (const row of drawn(chances, ofBlocks, inBlocks).indices) expect(row % 3).toBe(1);
  });

  it('gives a row of the batch where no row has a chance', () => {
    for (const size of [1, 5, 128, 300]) {
      const {indices, total} = drawn(Array(size).fill(0), [0, 0.5, 0.999], [0, 0.5, 0.999]);
      expect(indices.every((row) => row >= 0 && row < size)).toBe(true);
      expect(total).toBe(0);
    }
  });

  it('gives each of 100,000 rows its part, to a thousandth of it', () => {
    // A part in a block of 128 is off by no more than the rounding of its sum: 2^-24 · 128 / 0.1 of
    // a row, 0.008 %. In one running sum over all rows it would be 2^-24 · 55 000 / 0.1, 3 %.
    const random = randomFrom(9);
    const chances = Float32Array.from({length: 100_000}, () => 0.1 + 0.9 * random());
    const blocks = Array.from({length: Math.ceil(chances.length / 128)}, (_, block) => [
      ...chances.subarray(128 * block, 128 * (block + 1)),
    ]);
    const total = sumOf(blocks.map(sumOf));
    const rows = Array.from({length: 3000}, (_, i) => 33 * i + (i % 33));
    const starts: number[] = [];
    blocks.reduce((start, block) => {
      starts.push(start);
      return start + sumOf(block);
    }, 0);
    for (const share of [0.001, 0.999]) {
      const ofBlocks = rows.map((row) => {
        const block = Math.floor(row / 128);
        return ((starts[block] as number) + share * sumOf(blocks[block] as number[])) / total;
      });
      const inBlocks = rows.map((row) => {
        const block = blocks[Math.floor(row / 128)] as number[];
        return (sumOf(block.slice(0, row % 128)) + share * (block[row % 128] as number)) / sumOf(block);
      });
      expect(drawn(chances, ofBlocks, inBlocks).indices).toEqual(rows);
    }
  });
});
