import {mul, type Scalar, type Tensor, type Tensor1D} from '@tensorflow/tfjs-core';
import {opsOnTape} from '../../engine';
import {outputsOf} from '../../models/model';
import {total} from '../../models/rowLosses';
import type {StepBatch} from './batch';
import type {StepSettings} from './options';

/** What the forward pass over a batch gave. (A type, so that `tf.tidy` takes it.) */
export type Forward = {
  predictions: Tensor[];
  /** `float32[count]`, weighted: what is trained on. */
  losses: Tensor1D;
  /** `float32[count]`, without weights of rows: what rows may be ranked by. */
  raw: Tensor1D;
  /** The penalty of each regulariser. */
  penalties: Scalar[];
  /** How many ops of the tape belong to the model; those behind them belong to its loss. */
  modelOps: number;
};

/** Runs a batch forward, up to one loss a row. */
export function runForward(
  {where, model, losses, lossWeights}: StepSettings,
  {xs, ys, rowWeights, view}: Pick<StepBatch, 'xs' | 'ys' | 'rowWeights' | 'view'>,
  training: boolean,
): Forward {
  const outputs = outputsOf(model, xs, training);
  const modelOps = opsOnTape();
  const predictions = view.predictions(outputs);
  const counted = lossWeights.flatMap((weight, output) => (weight > 0 ? [output] : []));
  const perOutput = (counted.length > 0 ? counted : [0]).map((output) => {
    const [loss, weight] = [losses[output] as StepSettings['losses'][number], lossWeights[output] as number];
    const ofRows = view.losses(where, loss, ys[output] as Tensor, predictions[output] as Tensor);
    const raw = weight === 1 ? ofRows : mul<Tensor1D>(ofRows, weight);
    return {raw, weighted: rowWeights.length === 0 ? raw : mul<Tensor1D>(raw, rowWeights[output] as Tensor1D)};
  });
  const raw = total(perOutput.map((ofOutput) => ofOutput.raw));
  const weighted = rowWeights.length === 0 ? raw : total(perOutput.map((ofOutput) => ofOutput.weighted));
  return {predictions, losses: weighted, raw, penalties: model.calculateLosses(), modelOps};
}
