import {clone, type Tensor} from '@tensorflow/tfjs-core';
import {nanUnless} from '../../rows';
import type {PerSampleLoss} from '../../types';
import type {Forward} from './backward';
import type {StepBatch} from './batch';
import type {StepSettings} from './options';

/** Finds the loss that says how far embeddings are apart, and the output that it is of; of several the first. */
export function lossOfEmbeddings({
  losses,
}: Pick<StepSettings, 'losses'>): {loss: PerSampleLoss; output: number} | undefined {
  const output = losses.findIndex((loss) => (loss as Partial<PerSampleLoss>).spread !== undefined);
  return output < 0 ? undefined : {loss: losses[output] as PerSampleLoss, output};
}

/** The embeddings that such a loss is of, with NaN for rows that were replaced. */
export function embeddingsOf(
  settings: Pick<StepSettings, 'losses'>,
  {finite}: Pick<StepBatch, 'finite'>,
  {predictions}: Pick<Forward, 'predictions'>,
): Tensor | undefined {
  const found = lossOfEmbeddings(settings);
  const embeddings = found && predictions[found.output];
  return embeddings && (finite ? nanUnless(finite, embeddings) : clone(embeddings));
}
