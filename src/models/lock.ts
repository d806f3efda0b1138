import type {LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';

/** The flag by which tfjs refuses a second `fit`. */
interface Lockable {
  isTraining: boolean;
}

/**
 * Marks a model as in training with the flag of tfjs, so that `fit` and the trainers here refuse one another.
 *
 * A `tf.sequential` trains by a model inside it, and only the flag of that one is read by `fit`.
 *
 * @returns the function that takes the marks away.
 */
export function lock(where: string, model: LayersModel): () => void {
  const {model: inner} = model as unknown as {model?: Lockable};
  const flags = [model as unknown as Lockable, ...(typeof inner?.isTraining === 'boolean' ? [inner] : [])];
  if (flags.some(({isTraining}) => isTraining)) {
    throw typeError(where, 'model', 'be trained by one call at a time', 'one in training', 'Await the other call.');
  }
  const mark = (isTraining: boolean) => {
    for (const flag of flags) flag.isTraining = isTraining;
  };
  mark(true);
  return () => mark(false);
}
