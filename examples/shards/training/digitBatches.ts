import type {Tensor2D} from '@tensorflow/tfjs-core';
import type {DigitData} from '../../mnist/data/digits';
import {drawnDigits} from '../../mnist/data/drawnData';
import {imagesOf, labelsOf, rowStream} from '../../mnist/experiment/batches';
import {findDigits} from '../../mnist/node/digits';
import type {Settings} from './settings';

/** A part of a batch, in tensors that are the caller's. */
export interface Part {
  xs: Tensor2D;
  ys: Tensor2D;
  /** The rows of the data set, in the order of the tensors. */
  rows: Uint32Array;
}

/** Finds the digits of a run. */
export async function digitsOf({data, digits, seed}: Settings): Promise<DigitData> {
  if (data !== undefined) return findDigits({folder: data}, () => {});
  const counts = {train: digits, test: Math.max(1, Math.floor(digits / 6))};
  return drawnDigits(counts, 'no --data given', seed);
}

/**
 * Lists the rows of each shard, in order and of about the same number: `[begin, end)` of the batch.
 */
function placesOf({rows, shards}: Pick<Settings, 'rows' | 'shards'>): [number, number][] {
  const edge = (shard: number) => Math.round((shard * rows) / shards);
  return Array.from({length: shards}, (_, shard) => [edge(shard), edge(shard + 1)]);
}

/** Reads the batches of a run: the same in every shard, each of which takes its part. */
export function digitBatches({train}: DigitData, settings: Settings) {
  const stream = rowStream(train.count, settings.seed);
  const places = placesOf(settings);
  const part = (step: number, begin: number, end: number): Part => {
    const rows = stream.rowsAt(step * settings.rows + begin, end - begin);
    return {xs: imagesOf(train, rows), ys: labelsOf(train, rows), rows};
  };
  return {
    whole: (step: number): Part => part(step, 0, settings.rows),
    ofShard: (step: number, shard: number): Part => part(step, ...(places[shard] as [number, number])),
    /** Some rows of a part, as a part. */
    taken: (rows: ArrayLike<number>): Omit<Part, 'rows'> => ({xs: imagesOf(train, rows), ys: labelsOf(train, rows)}),
  };
}
