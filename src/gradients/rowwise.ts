/** @file Proves from a tape that a forward pass computed each row independently. */

import type {Tensor} from '@tensorflow/tfjs-core';
import type {KernelRun, Tape, TapedOp} from '../engine';
import {axisOf, isSamePlace, leadingPlace, type Place, placeAt, sizeOf} from './places';
import {rowsForward} from './rules';

/** How a tensor depends on a batch: not at all, row by row at a place, or otherwise. */
type Dependence = 'none' | Place | 'mixed';

/**
 * Finds the first op that is not proved row-wise in the first axis of `inputs`.
 *
 * The proof may refuse an op that is row-wise, but never accepts one that mixes rows. The one
 * exception: a dependence on the number of rows, or on a row's position, does not show on a tape.
 *
 * @returns the name of the op, `'a read'` if values of some row were copied to the host, or
 *   `'a batch of one row'`, which proves nothing; undefined if all ops are row-wise.
 */
export function mixingOp(
  {ops, reads}: Pick<Tape, 'ops' | 'reads'>,
  inputs: readonly Tensor[],
  batchSize: number,
): string | undefined {
  // Any axis of size 1 could be the row axis.
  if (batchSize === 1) return 'a batch of one row';
  // Tracked by data id, which reshaped tensors and variables share.
  const known = new Map<object, Dependence>(inputs.map((x) => [x.dataId, leadingPlace(x.shape, batchSize)]));
  const dependenceOf = ({dataId}: Tensor) => known.get(dataId) ?? 'none';
  for (const op of ops) {
    const given = Object.values(op.inputs).map(dependenceOf);
    const outputs = outputsOf(op, given, batchSize);
    if (outputs.includes('mixed')) return op.name;
    for (const [i, output] of op.outputs.entries()) known.set(output.dataId, outputs[i] as Dependence);
  }
  return [...reads].some((dataId) => (known.get(dataId) ?? 'none') !== 'none') ? 'a read' : undefined;
}

function outputsOf(op: TapedOp, given: readonly Dependence[], batchSize: number): Dependence[] {
  if (given.every((input) => input === 'none')) return op.outputs.map(() => 'none');
  for (const places of candidates(op, batchSize)) {
    const found = rowsForward(op, {places, batchSize, kept: batchSize});
    if (!found) continue;
    const isSo = Object.keys(op.inputs).every((name, i) => {
      const [is, due] = [given[i] as Dependence, found[name]];
      return is === 'none' || (due !== undefined && isSamePlace(is as Place, due));
    });
    if (isSo) return places;
  }
  return op.outputs.map(() => 'mixed');
}

/**
 * Lists the places that rows may have in the outputs of an op by their shapes, along the same axis
 * in each.
 */
function candidates({outputs}: KernelRun, batchSize: number): Place[][] {
  const {shape} = outputs[0] as Tensor;
  return shape.flatMap((size, axis) => {
    const rounds = size / batchSize;
    if (!Number.isInteger(rounds)) return [];
    const divisors = Array.from({length: rounds}, (_, i) => i + 1).filter((after) => rounds % after === 0);
    return divisors.flatMap((after) => {
      const first = {
        outer: sizeOf(shape.slice(0, axis)) * (rounds / after),
        inner: after * sizeOf(shape.slice(axis + 1)),
      };
      const at = axisOf(shape, first, batchSize);
      const places = outputs.map((output) => {
        const before = (at && (output.shape[at.axis] as number) / (batchSize * after)) ?? 0;
        return Number.isInteger(before) ? placeAt(output.shape, axis, {before, after}, batchSize) : undefined;
      });
      return places.every((place) => place !== undefined) ? [places as Place[]] : [];
    });
  });
}
