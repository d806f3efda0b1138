import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkWeights, typeError} from '../checks';
import {binaryCrossentropy} from '../losses/binaryCrossentropy';
import {categoricalCrossentropy} from '../losses/categoricalCrossentropy';
import {categoricalHinge} from '../losses/categoricalHinge';
import {cosineSimilarity} from '../losses/cosineSimilarity';
import {fromLayersLoss} from '../losses/fromLayersLoss';
import {hinge, squaredHinge} from '../losses/hinge';
import {kullbackLeiblerDivergence} from '../losses/kullbackLeiblerDivergence';
import {logCosh} from '../losses/logCosh';
import {meanAbsoluteError} from '../losses/meanAbsoluteError';
import {poisson} from '../losses/poisson';
import {sparseCategoricalCrossentropy} from '../losses/sparseCategoricalCrossentropy';
import {meanSquaredError} from '../losses/squaredError';
import type {PerSampleLoss} from '../types';
import {byOutput, type PerOutput} from './byOutput';

/** A loss for a trainer: a function, or the name that `model.compile` takes for it. */
export type LossLike = PerSampleLoss | string;

/** The losses under the names that tfjs-layers has for them; what is not here comes from there. */
const OWN_LOSSES: Record<string, () => PerSampleLoss> = {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  cosineProximity: cosineSimilarity,
  hinge,
  kullbackLeiblerDivergence,
  logcosh: logCosh,
  meanAbsoluteError,
  meanSquaredError,
  poisson,
  sparseCategoricalCrossentropy,
  squaredHinge,
};

/** Finds the loss of each output: the given ones, or those that the model was compiled with. */
export function modelLosses(
  where: string,
  model: LayersModel,
  given: LossLike | LossLike[] | Record<string, LossLike> | undefined,
): PerSampleLoss[] {
  const losses = given ?? (model.loss as LossLike | LossLike[] | Record<string, LossLike> | undefined);
  if (losses === undefined) {
    throw typeError(
      where,
      'loss',
      'be given, or the model be compiled with one',
      losses,
      'Pass {loss: categoricalCrossentropy()}.',
    );
  }
  return byOutput(where, 'loss', model, losses).map((loss, output) => {
    const name = String(model.outputNames[output]);
    if (loss === undefined)
      throw typeError(where, 'loss', `be given for every output (${model.outputNames.join(', ')})`, `none for ${name}`);
    return perSampleLoss(where, loss);
  });
}

/** Finds what the loss of each output counts, 1 where nothing is said. */
export function modelLossWeights(
  where: string,
  model: LayersModel,
  given: number[] | Record<string, number> | undefined,
): number[] {
  const weights = byOutput(where, 'lossWeights', model, (given ?? 1) as PerOutput<number>).map((weight) => weight ?? 1);
  checkWeights(where, 'lossWeights', weights);
  return weights;
}

function perSampleLoss(where: string, loss: LossLike): PerSampleLoss {
  if (typeof loss === 'function') return loss;
  if (typeof loss !== 'string') throw typeError(where, 'loss', 'be a function or the name of a loss', loss);
  return OWN_LOSSES[loss]?.() ?? fromLayersLoss(loss);
}
