import {CallbackList, CustomCallback, type CustomCallbackArgs} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import type {YieldEvery} from './pacer';

/** An instance of a callback class of tfjs: `tf.callbacks.earlyStopping()`, a `tf.CustomCallback`, or one of your own. */
export type CallbackInstance = CallbackList['callbacks'][number];

/** A callback: an instance, or a plain object of functions like `{onEpochEnd(epoch, logs) {…}}`. */
export type FitCallback = CallbackInstance | CustomCallbackArgs;

/** Makes one list of callbacks of both kinds, in their order; tfjs's own `fit` takes only one kind at a time. */
export function callbackList(
  where: string,
  given: FitCallback | FitCallback[],
  yieldEvery: YieldEvery,
  own: CallbackInstance[],
): CallbackList {
  const callbacks = [given].flat().map((callback) => {
    if (typeof callback !== 'object' || callback === null) {
      throw typeError(where, 'callbacks', 'be callbacks of tfjs, or objects of functions', callback);
    }
    if (isInstance(callback)) return callback;
    // The trainer lets others run; a callback does so only where it is asked when.
    return new CustomCallback(callback, callback.onYield ? yieldEvery : 'never');
  });
  return new CallbackList([...callbacks, ...own]);
}

function isInstance(callback: FitCallback): callback is CallbackInstance {
  return 'setParams' in callback && typeof callback.setParams === 'function';
}
