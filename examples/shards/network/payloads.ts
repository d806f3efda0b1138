/**
 * @file What is in the frames: losses, thresholds and gradients as little-endian numbers, the rest
 * as JSON.
 */
import type {GlobalThreshold, ShardLosses} from 'ohem-tfjs';
import {bytesOf} from './frames';

const floatsIn = ({buffer}: Uint8Array, begin: number, count?: number) => new Float32Array(buffer, begin, count);
const countsIn = ({buffer}: Uint8Array, begin: number, count?: number) => new Uint32Array(buffer, begin, count);

const joined = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** The losses of a shard: four counts, the model, then the losses. */
export function lossesPayload({version, k, rows, usable, model = 0, losses}: ShardLosses): Uint8Array {
  return joined(bytesOf(Uint32Array.of(version, k, rows, usable, model)), bytesOf(losses));
}

export function lossesIn({shard, step, payload}: {shard: number; step: number; payload: Uint8Array}): ShardLosses {
  const [version = 0, k = 0, rows = 0, usable = 0, model = 0] = countsIn(payload, 0, 5);
  return {version, shard, step, k, rows, usable, model, losses: floatsIn(payload, 20)};
}

/** The threshold of a step: the loss, all rows, then the count of each shard. */
export function thresholdPayload({loss, rows, counts}: GlobalThreshold): Uint8Array {
  return joined(bytesOf(Float32Array.of(loss)), bytesOf(Uint32Array.of(rows, ...counts)));
}

export function thresholdIn({payload}: {payload: Uint8Array}): GlobalThreshold {
  const [rows = 0, ...counts] = countsIn(payload, 4);
  return {loss: floatsIn(payload, 0, 1)[0] as number, rows, counts};
}

/** Gradients, or their sum: how many rows they were learned from, then the numbers. */
export function gradientsPayload(kept: number, gradients: Float32Array): Uint8Array {
  return joined(bytesOf(Uint32Array.of(kept)), bytesOf(gradients));
}

export function gradientsIn({payload}: {payload: Uint8Array}): {kept: number; gradients: Float32Array} {
  return {kept: countsIn(payload, 0, 1)[0] as number, gradients: floatsIn(payload, 4)};
}
