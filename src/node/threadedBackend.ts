import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {compileFunction} from 'node:vm';
import type {KernelBackend} from '@tensorflow/tfjs-core';
import {type JobThreads, startJobThreads} from './jobThreads';
import type {WasmPackage} from './wasmPackage';
import {endWorkers, startWorkers, type WasmWorker} from './wasmWorkers';

/** Settings of the Emscripten program, which adds its functions to the record. */
interface Settings {
  /** Path from which workers load the program. */
  mainScriptUrlOrBlob: string;
  instantiateWasm(
    imports: Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
}

interface Program extends Settings {
  PThread: {unusedWorkers: WasmWorker[]};
  cwrap(name: string, result: 'number' | null, parameters: 'number'[]): unknown;
}

type StartProgram = (settings: Settings) => Promise<Program>;
type Imports = Record<'env' | 'wasi_snapshot_preview1', Record<string, WebAssembly.ImportValue>>;

/**
 * Builds the wasm backend on its threaded binary, which tfjs uses only in browsers.
 *
 * @throws Error with the reason if it does not start, as a rejected promise. All workers are ended
 *   then.
 */
export async function threadedBackend(wasm: WasmPackage, threads: number): Promise<KernelBackend> {
  const binary = await WebAssembly.compile(await readFile(wasm.binary));
  const start = await programIn(wasm.program);
  // The calling thread is one of the threads.
  const workers = await startWorkers(threads - 1, wasm.workerScript);
  let jobThreads: JobThreads | undefined;
  try {
    const program = await startedProgram(start, wasm.program, binary, workers);
    jobThreads = await startJobThreads(threads - 1);
    wasm.setThreadsCount(threads);
    return new wasm.BackendWasm(withBackendFunctions(program, jobThreads));
  } catch (error) {
    endWorkers(workers);
    jobThreads?.end();
    throw error;
  }
}

/** Placeholder for the eight workers that the program always creates by itself. */
class NoWorker {}

/**
 * Loads the program with its own `global` and `Worker`. With `require` it would set the global
 * `Worker`, by which other packages detect a browser.
 */
async function programIn(path: string): Promise<StartProgram> {
  const module = {exports: {}};
  const scope = {
    module,
    exports: module.exports,
    require: createRequire(path),
    global: {},
    Worker: NoWorker,
    __filename: path,
    __dirname: dirname(path),
  };
  const run = compileFunction(await readFile(path, 'utf8'), Object.keys(scope), {filename: path});
  run(...Object.values(scope));
  return module.exports as StartProgram;
}

/** Starts the program on running workers. */
async function startedProgram(
  start: StartProgram,
  path: string,
  binary: WebAssembly.Module,
  workers: readonly WasmWorker[],
): Promise<Program> {
  const program = await new Promise<Program>((resolve, reject) => {
    const settings: Settings = {
      mainScriptUrlOrBlob: path,
      instantiateWasm(imports, receive) {
        // The binary limits its threads to half of the cores.
        const env = {...imports.env, emscripten_num_logical_cores: () => 2 * (workers.length + 1)};
        const instantiated = WebAssembly.instantiate(binary, {...imports, env});
        const received = instantiated.then((instance) => {
          (settings as Program).PThread.unusedWorkers = [...workers];
          receive(instance, binary);
          // The program's own handlers throw, which would end the process.
          for (const worker of workers) worker.onerror = reject;
        });
        received.catch(reject);
        return {};
      },
    };
    for (const {failed} of workers) failed.catch(reject);
    start(settings).then(resolve, reject);
  });
  for (const worker of workers) worker.onerror = rethrow;
  return program;
}

/** Ends the process: an op that lacks a thread would wait forever. */
function rethrow(error: unknown): never {
  throw error;
}

/** Adds threads for jobs, and the functions through which `BackendWasm` calls the program. */
function withBackendFunctions(program: Program, jobThreads: JobThreads): object {
  const wrap = (name: string, parameters: number, result: 'number' | null = null) =>
    program.cwrap(name, result, Array(parameters).fill('number'));
  const tfjs = {
    init: wrap('init', 0),
    initWithThreadsCount: wrap('init_with_threads_count', 1),
    getThreadsCount: wrap('get_threads_count', 0, 'number'),
    registerTensor: wrap('register_tensor', 3),
    disposeData: wrap('dispose_data', 1),
    dispose: wrap('dispose', 0) as () => void,
  };
  const dispose = () => {
    // The other threads are ended by the program.
    jobThreads.end();
    tfjs.dispose();
  };
  return Object.assign(program, {tfjs: {...tfjs, dispose}, jobThreads});
}
