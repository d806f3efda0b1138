import {nextFrame} from '@tensorflow/tfjs-core';
import {
  CallbackList,
  CustomCallback,
  type CustomCallbackArgs,
  LayersModel,
  type Logs,
  type ModelFitArgs,
} from '@tensorflow/tfjs-layers';
import {checkFunction, didYouMean, typeError} from '../../checks';

/** An instance of a callback class of tfjs: `tf.callbacks.earlyStopping()`, a `tf.CustomCallback`, or one of your own. */
export type CallbackInstance = CallbackList['callbacks'][number];

/** A callback: an instance, or a plain object of functions like `{onEpochEnd(epoch, logs) {…}}`. */
export type FitCallback = CallbackInstance | CustomCallbackArgs;

/** Makes one list of callbacks of both kinds, in their order; tfjs's own `fit` takes only one kind at a time. */
export function callbackList(
  where: string,
  given: FitCallback | FitCallback[],
  {yieldEvery, verbose}: {yieldEvery: YieldEvery; verbose: number},
  own: CallbackInstance[],
): CallbackList {
  const callbacks = [given].flat().map((callback) => {
    if (typeof callback !== 'object' || callback === null) {
      throw typeError(where, 'callbacks', 'be callbacks of tfjs, or objects of functions', callback);
    }
    if (isInstance(callback)) return callback;
    checkHandlers(where, callback);
    // The trainer lets others run; a callback does so only where it is asked when.
    return new CustomCallback(callback, callback.onYield ? yieldEvery : 'never');
  });
  return new CallbackList([...registeredCallbacks(verbose), ...callbacks, ...own]);
}

const HANDLERS: Record<keyof CustomCallbackArgs, true> = {
  ...{onTrainBegin: true, onTrainEnd: true, onEpochBegin: true, onEpochEnd: true, onBatchBegin: true},
  ...{onBatchEnd: true, onYield: true, nowFunc: true, nextFrameFunc: true},
};

function checkHandlers(where: string, callback: CustomCallbackArgs): void {
  for (const [name, handler] of Object.entries(callback)) {
    if (!(name in HANDLERS)) continue;
    if (handler != null) checkFunction(where, `callbacks.${name}`, 'be a function', handler);
  }
  const names = Object.keys(HANDLERS);
  if (!Object.keys(callback).some((name) => name in HANDLERS)) {
    const [unknown = 'nothing'] = Object.keys(callback);
    throw typeError(where, 'callbacks', `have one of ${names.join(', ')}`, unknown, didYouMean(unknown, names));
  }
}

/**
 * Makes the callbacks that `tf.registerCallbackConstructor` registered for this verbosity, as `fit` does. Only `fit` itself
 * can see them: it is begun with a model that takes no step, up to where it has made its list.
 */
function registeredCallbacks(verbose: number): CallbackInstance[] {
  const mark = new CustomCallback({onTrainBegin: () => {}}, 'never');
  const own = Object.getOwnPropertyDescriptor(CallbackList.prototype, 'setModel') as PropertyDescriptor;
  let made: CallbackInstance[] = [];
  const begun = {optimizer: {}, isTraining: false, makeTrainFunction: () => {}, getDedupedMetricsNames: () => []};
  CallbackList.prototype.setModel = function () {
    // Behind the logger of tfjs, and before those that were passed.
    made = this.callbacks.slice(1, this.callbacks.indexOf(mark));
    throw new Error('the list is made');
  };
  try {
    const dataset = {size: null, iterator: () => Promise.reject(new Error('no data'))};
    const args = {epochs: 1, verbose, batchesPerEpoch: 1, callbacks: [mark]};
    const ended: Promise<unknown> = LayersModel.prototype.fitDataset.call(
      begun as never,
      dataset as never,
      args as never,
    );
    ended.catch(() => {});
  } finally {
    Object.defineProperty(CallbackList.prototype, 'setModel', own);
  }
  return made;
}

function isInstance(callback: FitCallback): callback is CallbackInstance {
  return 'setParams' in callback && typeof callback.setParams === 'function';
}

/** How often a training lets others run, as tfjs's `fit` takes it. */
export type YieldEvery = NonNullable<ModelFitArgs['yieldEvery']>;

/** Lets the page, or whatever else waits, have its turn now and then. */
export interface Pacer {
  /** Whether the event loop is due for a turn; waiting for a promise costs more than asking. */
  isDue(): boolean;
  afterBatch(): Promise<void>;
  afterEpoch(): Promise<void>;
}

/** Milliseconds of `'auto'`, as in tfjs. */
const AUTO = 125;

export function pacer(yieldEvery: YieldEvery): Pacer {
  const interval = {auto: AUTO, batch: 0, epoch: Number.POSITIVE_INFINITY, never: Number.POSITIVE_INFINITY};
  const milliseconds = typeof yieldEvery === 'number' ? yieldEvery : interval[yieldEvery];
  let last = performance.now();
  return {
    isDue: () => performance.now() - last >= milliseconds,
    async afterBatch() {
      if (performance.now() - last < milliseconds) return;
      await nextFrame();
      last = performance.now();
    },
    async afterEpoch() {
      if (yieldEvery === 'epoch') await nextFrame();
    },
  };
}

/** Where the line goes: a terminal, on which it is written anew, or a file, which gets a line for each epoch. */
type Output = {isTTY?: boolean; write(text: string): unknown};

/** The standard output of Node; undefined elsewhere. */
function standardOutput(): Output | undefined {
  const {process} = globalThis as {process?: {versions?: {node?: string}; stdout?: Output}};
  return process?.versions?.node === undefined ? undefined : process.stdout;
}

/** A callback that shows how far a training is, in Node only: `Epoch 2/10 [=====>    ] 12/24 loss 0.31 acc 0.9`. */
export function progressLine(epochs: number, batches: () => number | undefined): CustomCallback | undefined {
  const output = standardOutput();
  if (!output) return undefined;
  let epoch = 0;
  const show = (done: string, logs: Logs, end: string) => {
    const line = [`Epoch ${epoch + 1}/${epochs}`, done, ...figures(logs)].filter((part) => part !== '').join(' ');
    output.write(`${output.isTTY ? '\r\x1b[2K' : ''}${line}${end}`);
  };
  return new CustomCallback(
    {
      onEpochBegin: (begun) => {
        epoch = begun;
      },
      onBatchEnd: (batch, logs) => {
        if (output.isTTY) show(bar(batch + 1, batches()), logs ?? {}, '');
      },
      onEpochEnd: (_, logs) => show('', logs ?? {}, '\n'),
    },
    'never',
  );
}

const WIDTH = 20;

function bar(done: number, batches: number | undefined): string {
  if (batches === undefined) return `batch ${done}`;
  const full = Math.round((done / batches) * WIDTH);
  return `[${'='.repeat(full)}${full < WIDTH ? '>' : ''}${' '.repeat(Math.max(0, WIDTH - full - 1))}] ${done}/${batches}`;
}

function figures(logs: Logs): string[] {
  const shown = Object.entries(logs).filter(([name]) => name !== 'batch' && name !== 'size');
  return shown.map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
}
