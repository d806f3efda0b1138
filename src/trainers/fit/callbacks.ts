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

/**
 * A callback instance: `tf.callbacks.earlyStopping()`, a `tf.CustomCallback`, or one of your own.
 */
export type CallbackInstance = Pick<CallbackList['callbacks'][number], 'setParams' | 'setModel'>;

/**
 * All members of an instance. They are not in the type of the option, where they would compete with
 * those of {@link CustomCallbackArgs} for the types of a handler's parameters.
 */
type Instance = CallbackList['callbacks'][number];

/** A callback: an instance, or a plain object of functions like `{onEpochEnd(epoch, logs) {…}}`. */
export type FitCallback = CallbackInstance | CustomCallbackArgs;

/**
 * Merges callbacks of both kinds into one list, in order; tfjs's `fit` accepts one kind per call.
 */
export function callbackList(
  where: string,
  given: FitCallback | FitCallback[],
  {yieldEvery, verbose}: {yieldEvery: YieldEvery; verbose: number},
  own: Instance[],
): CallbackList {
  const callbacks = [given].flat().map((callback) => {
    if (typeof callback !== 'object' || callback === null) {
      throw typeError(where, 'callbacks', 'be callbacks of tfjs, or objects of functions', callback);
    }
    if (isInstance(callback)) return callback as Instance;
    checkHandlers(where, callback);
    // The trainer already yields. A callback yields by itself only if it has an `onYield` handler.
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
  const [unknown] = Object.keys(callback);
  // An empty object does nothing, as in fit; names that are all unknown are misspelt.
  if (unknown !== undefined && !Object.keys(callback).some((name) => name in HANDLERS)) {
    throw typeError(where, 'callbacks', `have one of ${names.join(', ')}`, unknown, didYouMean(unknown, names));
  }
}

/**
 * Creates the callbacks registered by `tf.registerCallbackConstructor` for this verbosity. Only
 * `fit` can access them, so this starts `fitDataset` on a dummy model and stops it once it has
 * built its list.
 */
function registeredCallbacks(verbose: number): Instance[] {
  const mark = new CustomCallback({onTrainBegin: () => {}}, 'never');
  const own = Object.getOwnPropertyDescriptor(CallbackList.prototype, 'setModel') as PropertyDescriptor;
  let made: Instance[] = [];
  const begun = {optimizer: {}, isTraining: false, makeTrainFunction: () => {}, getDedupedMetricsNames: () => []};
  CallbackList.prototype.setModel = function () {
    // After the logger of tfjs, and before the callbacks passed in.
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

/** How often a training run yields to the event loop, as in tfjs's `fit`. */
export type YieldEvery = NonNullable<ModelFitArgs['yieldEvery']>;

/** Yields to the event loop now and then. */
export interface Pacer {
  /** Whether it is time to yield. Checking is cheaper than awaiting a promise. */
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

/**
 * Destination of the progress line. A terminal rewrites the line; a file gets one line per epoch.
 */
type Output = {isTTY?: boolean; write(text: string): unknown};

/** The standard output of Node; undefined elsewhere. */
function standardOutput(): Output | undefined {
  const {process} = globalThis as {process?: {versions?: {node?: string}; stdout?: Output}};
  return process?.versions?.node === undefined ? undefined : process.stdout;
}

/**
 * Builds a callback that prints progress, in Node only:
 * `Epoch 2/10 [=====>    ] 12/24 loss 0.31 acc 0.9`.
 */
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
