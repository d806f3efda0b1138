import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import type {Worker} from 'node:worker_threads';
import {getThreadsCount} from '@tensorflow/tfjs-backend-wasm';
import {
  backend,
  conv2d,
  engine,
  findBackendFactory,
  matMul,
  ones,
  removeBackend,
  setBackend,
  type Tensor4D,
  tensor1d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {ohemStep, sparseCategoricalCrossentropy, topK} from 'ohem-tfjs';
import {enableWasmThreads} from 'ohem-tfjs/node';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {build} from 'vite';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest';
import {sourceAliases} from '../../sourceAliases';
import '../support/backends';
import {random} from '../backends/wasm/sameAsCpu';
import {expectClose} from '../support/close';
import {freshWasm, stockWasm} from '../support/freshWasm';
import {changeWasmPackage, hideWasmPackage} from '../support/loadedWasm';
import {ROOT} from '../support/sources';
import {weightValues} from '../support/tinyModel';

/** Every worker that has been started in a test. */
const workers: Worker[] = [];
const addWorker = (worker: Worker) => void workers.push(worker);
const over = (worker: Worker) =>
  new Promise<void>((resolve) => {
    if (worker.threadId === -1) resolve();
    worker.once('exit', () => resolve());
  });
const allOver = () => Promise.all(workers.map(over));

let warn = vi.spyOn(console, 'warn');
beforeEach(() => {
  warn = vi.spyOn(console, 'warn').mockReturnValue();
  process.on('worker', addWorker);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  freshWasm();
  // tfjs disposes a backend that was in use; of others the workers are left.
  await Promise.all(workers.map((worker) => worker.terminate()));
  process.removeAllListeners('worker');
  workers.length = 0;
});

/** As the program of a worker of its own, `script` sees `parentPort`. */
const workersThatRun = (script: string) => () =>
  changeWasmPackage((files) => ({
    ...files,
    'worker.js': `exports.wasmWorkerContents = ${JSON.stringify(`const {parentPort} = require('node:worker_threads'); ${script}`)};`,
  }));
const stubProcess = (properties: Record<string, unknown>) => () => {
  const descriptors = Object.entries(properties).map(([name, value]) => [name, {value}]);
  vi.stubGlobal('process', Object.create(process, Object.fromEntries(descriptors)));
};

describe('enableWasmThreads falls back to one thread, and gives the reason once,', () => {
  const CASES: readonly (readonly [string, () => void, string | RegExp])[] = [
    ['in Bun', stubProcess({versions: {...process.versions, bun: '1.2.3'}}), 'threads need Node, not Bun'],
    ['in Deno', stubProcess({versions: {...process.versions, deno: '2.3.4'}}), 'threads need Node, not Deno'],
    [
      'where workers are not permitted',
      stubProcess({permission: {has: (scope: string) => scope !== 'worker'}}),
      'the permission model needs --allow-worker',
    ],
    ['without SharedArrayBuffer', () => vi.stubGlobal('SharedArrayBuffer', undefined), 'SharedArrayBuffer is missing'],
    ['in a bundle', hideWasmPackage, '@tensorflow/tfjs-backend-wasm is not loaded from its own files'],
    ['without the files', () => changeWasmPackage(() => ({})), /^Cannot find module .*threaded-simd\.js'/],
    [
      'with a damaged binary',
      () => changeWasmPackage((files) => ({...files, wasm: 'no binary'})),
      /^WebAssembly\.compile\(\)/,
    ],
    [
      'with another program',
      () => changeWasmPackage((files) => ({...files, js: 'module.exports = async () => ({})'})),
      'program.cwrap is not a function',
    ],
    ['if workers do not start', workersThatRun("throw new Error('no memory')"), 'no memory'],
    ['if workers end at once', workersThatRun('process.exit()'), 'a worker ended before it was ready'],
    [
      'if a worker for our own code ends at once',
      () => {
        // Of each four, two are for XNNPACK, and start first.
        let started = 0;
        process.on('worker', (worker) => ++started % 4 === 3 && void worker.terminate());
      },
      'a worker ended before it was ready',
    ],
    [
      'if workers fail while they load the program',
      workersThatRun("parentPort.on('message', () => { throw new Error('no program'); })"),
      'no program',
    ],
    [
      'if workers end while they load the program',
      workersThatRun("parentPort.on('message', () => process.exit())"),
      'a worker ended before it was ready',
    ],
  ];

  it.each(CASES)('%s', async (_, prepare, reason) => {
    // Each case has a module of its own, which has said nothing yet.
    vi.resetModules();
    const {enableWasmThreads} = await import('ohem-tfjs/node');
    prepare();
    expect(await enableWasmThreads(3)).toBe(1);
    expect(await enableWasmThreads(3)).toBe(1);
    const said = warn.mock.calls.map(
      ([message]) => /^enableWasmThreads: the wasm backend runs on one thread: (.*)\.$/s.exec(message)?.[1],
    );
    expect(said).toEqual([typeof reason === 'string' ? reason : expect.stringMatching(reason)]);
    expect(findBackendFactory('wasm')).toBe(stockWasm);
    await allOver();
  });

  it('leaves a backend that works', async () => {
    hideWasmPackage();
    await enableWasmThreads(2);
    await setBackend('wasm');
    expect(matMul([[1, 2]], [[3], [4]]).dataSync()).toEqual(new Float32Array([11]));
    expect(getThreadsCount()).toBe(1);
  });
});

describe('enableWasmThreads', () => {
  it.each([
    [2, 2],
    [3, 3],
    [100, 8],
    [undefined, Math.min(availableParallelism(), 8)],
  ])('of %s runs %s threads', async (threads, running) => {
    expect(await enableWasmThreads(threads)).toBe(running);
    await setBackend('wasm');
    expect(getThreadsCount()).toBe(running);
    // Beside each thread of XNNPACK, there is one for our own code.
    expect(workers).toHaveLength(2 * (running - 1));
    expect(warn).not.toHaveBeenCalled();
  });

  it('of 1 leaves the stock backend', async () => {
    expect(await enableWasmThreads(1)).toBe(1);
    expect([findBackendFactory('wasm'), workers]).toEqual([stockWasm, []]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('adds and removes no global', async () => {
    const before = Object.getOwnPropertyNames(globalThis);
    await enableWasmThreads(2);
    expect(Object.getOwnPropertyNames(globalThis)).toEqual(before);
    expect(before).not.toContain('Worker');
  });

  it('keeps its rank among the backends', async () => {
    const {priority} = engine().registryFactory.wasm as {priority: number};
    await enableWasmThreads(2);
    expect(engine().registryFactory.wasm?.priority).toBe(priority);
  });

  it('runs again after the engine was reset', async () => {
    await enableWasmThreads(2);
    await setBackend('wasm');
    engine().reset();
    await setBackend('wasm');
    expect(matMul([[1, 2]], [[3], [4]]).dataSync()).toEqual(new Float32Array([11]));
    expect([getThreadsCount(), workers.length]).toEqual([2, 4]);
    await Promise.all(workers.slice(0, 2).map(over));
  });

  it('runs again after the engine was reset while our own code had threads', async () => {
    await enableWasmThreads(2);
    enableWasmTraining();
    const multiply = () => tidy(() => [...matMul(ones([128, 128]), ones([128, 128])).dataSync()]);
    for (const workersSoFar of [2, 4]) {
      await setBackend('wasm');
      expect(new Set(multiply())).toEqual(new Set([128]));
      expect(workers).toHaveLength(workersSoFar);
      engine().reset();
    }
    enableWasmTraining()();
    await allOver();
  });

  it('lets the failure of a thread end the process, which would wait for it forever', async () => {
    await enableWasmThreads(2);
    const [worker] = workers as [Worker & {onerror(error: Error): void}];
    expect(() => worker.onerror(new Error('crashed'))).toThrow('crashed');
  });
});

describe('On two threads', () => {
  /** What `compute` gives on one thread and on two. */
  async function onBoth<T>(compute: () => T | Promise<T>): Promise<[T, T]> {
    await setBackend('wasm');
    const one = await compute();
    freshWasm();
    expect(await enableWasmThreads(2)).toBe(2);
    await setBackend('wasm');
    return [one, await compute()];
  }

  it.each([
    ['small', [3, 5], [5, 2]],
    ['uneven', [200, 333], [333, 129]],
    ['large', [512, 784], [784, 64]],
  ])('%s products are those of one', async (_, a, b) => {
    const [one, two] = await onBoth(() => matMul(random(a, 1), random(b, 2)).dataSync());
    expectClose([...two], one, {absolute: 1e-6, relative: 1e-6});
  });

  it('convolutions are those of one', async () => {
    const compute = () => conv2d(random([4, 17, 13, 3], 1) as Tensor4D, random([3, 3, 3, 8], 2) as Tensor4D, 1, 'same');
    const [one, two] = await onBoth(() => compute().dataSync());
    expectClose([...two], one, {absolute: 1e-6, relative: 1e-6});
  });

  it.each(['before', 'after'])('training is that of one, with our kernels registered %s', async (when) => {
    if (when === 'before') enableWasmTraining();
    const [one, two] = await onBoth(async () => {
      enableWasmTraining();
      const weights = () => ({kernelInitializer: 'zeros' as const, biasInitializer: 'zeros' as const});
      const model = sequential();
      model.add(layers.conv2d({filters: 4, kernelSize: 3, inputShape: [8, 8, 1], ...weights()}));
      model.add(layers.flatten());
      model.add(layers.dense({units: 10, ...weights()}));
      model.setWeights(model.getWeights().map(({shape}, at) => random(shape, at)));
      const loss = sparseCategoricalCrossentropy({fromLogits: true});
      const step = ohemStep(model, {loss, select: topK({k: 12}), optimizer: train.sgd(0.1)});
      const ys = tensor1d(Int32Array.from({length: 16}, (_, row) => row % 10));
      for (let i = 0; i < 3; i++) step(random([16, 8, 8, 1], i), ys).dispose();
      return weightValues(model).flat();
    });
    enableWasmTraining()();
    expectClose(two, one, {absolute: 1e-6, relative: 1e-6});
  });
});

describe('enableWasmThreads refuses', () => {
  const IN_USE =
    "enableWasmThreads: the wasm backend must be unused, got one in use. Await enableWasmThreads once, before tf.setBackend('wasm').";
  const ON_THREADS = IN_USE.replace('one in use', 'one that runs on threads');

  it.each([0, -1, 1.5, Number.NaN, '2'])('threads %j', async (threads) => {
    const refused = enableWasmThreads(threads as number);
    await expect(refused).rejects.toThrow(RangeError);
    await expect(refused).rejects.toThrow(/^enableWasmThreads: threads must be an integer >= 1, got .+\.$/);
  });

  it('a backend that has not been imported', async () => {
    removeBackend('wasm');
    await expect(enableWasmThreads(2)).rejects.toThrow(
      new TypeError(
        "enableWasmThreads: the wasm backend must be imported first, got no backend of that name. Add import '@tensorflow/tfjs-backend-wasm'.",
      ),
    );
  });

  it.each([1, 2])('a backend in use, for %i threads', async (threads) => {
    await setBackend('wasm');
    const [product] = [matMul([[1, 2]], [[3], [4]])];
    await setBackend('cpu');
    await expect(enableWasmThreads(threads)).rejects.toThrow(new TypeError(IN_USE));
    await setBackend('wasm');
    expect(product.dataSync()).toEqual(new Float32Array([11]));
  });

  it('a backend that is on its way, and one that comes first', async () => {
    const ready = setBackend('wasm');
    await expect(enableWasmThreads(2)).rejects.toThrow(new TypeError(IN_USE));
    await ready;
    freshWasm();
    const late = enableWasmThreads(2);
    await Promise.all([setBackend('wasm'), expect(late).rejects.toThrow(new TypeError(IN_USE))]);
    expect([backend().constructor.name, getThreadsCount()]).toEqual(['BackendWasm', expect.any(Number)]);
    await allOver();
  });

  it('a second call, beside the first or after it', async () => {
    const calls = await Promise.allSettled([enableWasmThreads(2), enableWasmThreads(2)]);
    expect(calls.map(({status}) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(enableWasmThreads(2)).rejects.toThrow(new TypeError(ON_THREADS));
    await setBackend('wasm');
    expect(getThreadsCount()).toBe(2);
  });
});

describe('A process on threads', () => {
  let folder = '';
  beforeAll(async () => {
    // Built where it finds tfjs.
    folder = mkdtempSync(join(ROOT, 'node_modules', '.threaded-'));
    const ssr = join(ROOT, 'test/support/threadedProcess.ts');
    const options = {ssr, outDir: folder, emptyOutDir: true};
    await build({configFile: false, logLevel: 'warn', resolve: {alias: sourceAliases}, build: options});
  });
  afterAll(() => rmSync(folder, {recursive: true, force: true}));

  async function run(way: string, ...flags: string[]) {
    const child = spawn(process.execPath, [...flags, join(folder, 'threadedProcess.js'), way], {cwd: ROOT});
    const code = new Promise((resolve) => child.once('close', resolve));
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return {code: await code, output, errors};
  }
  const [major = 0] = process.versions.node.split('.').map(Number);
  const permission = major >= 24 ? '--permission' : '--experimental-permission';

  it.each([
    ['at its end', 0, '2 128\n', ''],
    ['after a timer', 0, '2 128\nlater\n', ''],
    ['by exit', 3, '2 128\n', ''],
    ['by an error', 7, '2 128\n', 'thrown on purpose'],
    ['in a worker', 0, '2 128\n', ''],
  ])('ends %s', async (way, code, output, error) => {
    const ended = await run(way);
    expect(ended).toEqual({code, output, errors: expect.stringContaining(error)});
    if (error === '') expect(ended.errors).toBe('');
  });

  it('runs on one thread where workers are not permitted, and on two where they are', async () => {
    const [without, within] = await Promise.all([
      run('at its end', permission, '--allow-fs-read=*'),
      run('at its end', permission, '--allow-fs-read=*', '--allow-worker'),
    ]);
    expect([without.code, without.output]).toEqual([0, '1 128\n']);
    expect(without.errors).toContain(
      'enableWasmThreads: the wasm backend runs on one thread: the permission model needs --allow-worker.',
    );
    expect([within.code, within.output]).toEqual([0, '2 128\n']);
  });
});
