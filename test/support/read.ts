/**
 * @file Reads what tensors hold, as one may on every backend: a WebGPU cannot be read without
 *   waiting.
 */
import {grad, sum, type Tensor, tensor1d, tidy} from '@tensorflow/tfjs-core';
import type {PerSampleLoss, SelectionContext, Selector} from 'ohem-tfjs';
import type {Selected} from './selections';

/** The numbers of what `f` makes; nothing of it stays. */
export async function read(f: () => Tensor): Promise<number[]> {
  const tensor = tidy(f);
  const values = Array.from(await tensor.data());
  tensor.dispose();
  return values;
}

/** The gradient of the sum of a loss with respect to its predictions. */
export function readGradient(loss: PerSampleLoss, yTrue: Tensor, yPred: Tensor): Promise<number[]> {
  return read(() => grad((predictions) => sum(loss(yTrue, predictions)))(yPred));
}

/** Reads what a selector keeps; disposes everything. */
export async function readSelection(
  select: Selector,
  losses: readonly number[],
  context?: SelectionContext,
): Promise<Selected> {
  const {indices, weights} = tidy(() => ({...select(tensor1d([...losses]), context)}));
  const selection = {indices: Array.from(await indices.data()), weights: Array.from(await weights.data())};
  indices.dispose();
  weights.dispose();
  return selection;
}
