import '@tensorflow/tfjs-backend-cpu';
import {memory, setBackend} from '@tensorflow/tfjs-core';
import {beforeAll, describe, expect, it} from 'vitest';
import type {Digits} from '../../../../examples/mnist/data/digits';
import {imagesOf, LARGEST_SEED, labelsOf, rowStream} from '../../../../examples/mnist/experiment/batches';

/** The first `steps` batches of `n` rows, one after the other. */
function read(count: number, seed: number, n: number, steps: number): number[] {
  const stream = rowStream(count, seed);
  return Array.from({length: steps}, (_, step) => [...stream.rowsAt(step * n, n)]).flat();
}

const sorted = (rows: readonly number[]) => [...rows].sort((a, b) => a - b);
const everyRow = (count: number) => Array.from({length: count}, (_, row) => row);

describe('rowStream', () => {
  it('gives the same order in batches of any size', () => {
    expect(read(1000, 1, 1024, 4)).toEqual(read(1000, 1, 512, 8));
    expect(read(1000, 1, 7, 20)).toEqual(read(1000, 1, 140, 1));
  });

  it('holds every row once in every epoch', () => {
    const rows = read(60, 1, 45, 4);
    for (const epoch of [0, 1, 2]) expect(sorted(rows.slice(60 * epoch, 60 * (epoch + 1)))).toEqual(everyRow(60));
  });

  it('shuffles every epoch anew', () => {
    const rows = read(60, 1, 60, 3);
    expect(rows.slice(0, 60)).not.toEqual(everyRow(60));
    expect(rows.slice(0, 60)).not.toEqual(rows.slice(60, 120));
    expect(rows.slice(60, 120)).not.toEqual(rows.slice(120, 180));
  });

  it('needs no more than the position to resume', () => {
    const rows = read(50, 3, 30, 10);
    expect([...rowStream(50, 3).rowsAt(210, 30)]).toEqual(rows.slice(210, 240));
  });

  it('reads backwards too', () => {
    const stream = rowStream(50, 3);
    const late = [...stream.rowsAt(120, 20)];
    const early = [...stream.rowsAt(0, 20)];
    expect([...stream.rowsAt(120, 20)]).toEqual(late);
    expect([...stream.rowsAt(0, 20)]).toEqual(early);
  });

  it('gives another order for another seed', () => {
    expect(read(60, 1, 60, 1)).not.toEqual(read(60, 2, 60, 1));
    expect(sorted(read(60, LARGEST_SEED, 60, 2).slice(60))).toEqual(everyRow(60));
  });

  it('spreads a batch that is larger than the set over several epochs', () => {
    const rows = read(10, 1, 35, 1);
    expect(rows).toHaveLength(35);
    expect(sorted(rows.slice(10, 20))).toEqual(everyRow(10));
  });

  it('does with one row', () => {
    expect(read(1, 1, 3, 1)).toEqual([0, 0, 0]);
  });
});

describe('imagesOf and labelsOf', () => {
  beforeAll(() => setBackend('cpu'));
  const digits: Digits = {count: 3, images: new Uint8Array(3 * 784), labels: Uint8Array.of(7, 0, 9)};
  digits.images.set([0, 51, 255], 784);
  digits.images[3 * 784 - 1] = 102;

  it('give the images of some rows from 0 to 1, in the order of the rows', () => {
    const before = memory().numTensors;
    const images = imagesOf(digits, [2, 1]);
    const pixels = images.dataSync();
    expect(images.shape).toEqual([2, 784]);
    expect(images.dtype).toBe('float32');
    expect(pixels[783]).toBeCloseTo(0.4, 6);
    expect([...pixels.slice(784, 788)]).toEqual([0, Math.fround(0.2), 1, 0]);
    images.dispose();
    expect(memory().numTensors).toBe(before);
  });

  it('give the labels as one-hot vectors', () => {
    const labels = labelsOf(digits, Uint32Array.of(2, 1));
    expect(labels.arraySync()).toEqual([
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
      [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]);
    labels.dispose();
  });
});
