import type {LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../checks';

/** The flag by which tfjs refuses a second `fit`. */
interface Lockable {
  isTraining: boolean;
}

/**
 * Marks a model as in training by the flag of tfjs, so that `fit` and these trainers exclude each
 * other.
 *
 * A `tf.sequential` trains an inner model, and `fit` reads only the flag of that one.
 *
 * @returns the function that removes the marks.
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
