import {once} from 'node:events';
import {Worker} from 'node:worker_threads';

/** Last statement of the script. The wasm program ignores messages without a command. */
const STARTED = '\nparentPort.postMessage({});';

/** A worker for one thread of the wasm program. */
export class WasmWorker extends Worker {
  /** Called with every error of the worker. The wasm program sets a handler that throws. */
  onerror?: (error: unknown) => void;
  /** Rejects when the worker fails or ends. */
  readonly failed: Promise<never>;

  constructor(script: string) {
    // Without the flags and variables of this process: otherwise each worker would load a loader
    // such as tsx.
    super(script + STARTED, {eval: true, execArgv: [], env: {}, name: 'ohem-tfjs wasm'});
    this.failed = new Promise((_, reject) => {
      this.once('error', reject);
      this.once('exit', () => reject(new Error('a worker ended before it was ready')));
    });
    this.failed.catch(() => undefined);
  }

  /**
   * Does nothing. The wasm program refs each worker that runs a thread. The threads never end, and
   * would keep the process alive.
   */
  override ref(): void {}
}

/**
 * Starts workers, and waits until all run their script. They keep the process alive until the wasm
 * program unrefs them.
 *
 * @throws Error of the first that does not start, as a rejected promise. All are ended then.
 */
export async function startWorkers(count: number, script: string): Promise<WasmWorker[]> {
  const workers: WasmWorker[] = [];
  try {
    for (let i = 0; i < count; i++) workers.push(new WasmWorker(script));
    await Promise.all(workers.map((worker) => Promise.race([once(worker, 'message'), worker.failed])));
    return workers;
  } catch (error) {
    endWorkers(workers);
    throw error;
  }
}

export function endWorkers(workers: readonly Worker[]): void {
  for (const worker of workers) void worker.terminate();
}
