import {JOBS, OWN_HEAD, SHARED_HEAD} from './assembled';
import {PANEL} from './assembly/kinds';
import type {WasmBackend} from './workbench';

/** Bytes of a number, and of a row of a packed panel. */
export const WORD = Float32Array.BYTES_PER_ELEMENT;
export const PANEL_ROW = PANEL * WORD;

/** The places of the first numbers of a job, as in assembly/job.ts, and how many there may be. */
const JOB = {tiles: 3, kind: 4, scratch: 5, numbers: 7, most: 32};

/** From this many multiplications on, threads are faster, although they have to wake. */
const WORTH_WAKING = 2 ** 20;
/** Tiles of each thread. A thread whose core is busy takes fewer of them. */
const TILES_PER_THREAD = 4;
/** From this many multiplications on, XNNPACK on two threads is faster than one thread here. */
const LARGE_ON_THREADS = 2 ** 26;

/** For what takes as long as reading its numbers. */
export const ON_ONE_THREAD = {tiles: 1, threads: 1};

/** The memory of a backend, and the functions that reserve parts of it. */
interface Heap {
  memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(at: number): void;
}

/** Runs the job that starts at this byte. */
type Run = (job: number) => void;

/** Threads that take tiles of jobs. `enableWasmThreads` adds them to the program of a backend. */
export interface JobThreads {
  count: number;
  /** Lets them wait for jobs, and returns the function that shares a job with them. */
  start(code: WebAssembly.Module, memory: WebAssembly.Memory, job: number, compute: WebAssembly.ImportValue): Run;
}

/** Loops of our own WebAssembly in the memory of a backend, each over tiles of its result. */
export class Jobs {
  readonly threads: number;
  readonly #heap: Heap;
  readonly #job: number;
  readonly #run: Run;
  readonly #share: Run;
  #scratch = {at: 0, size: 0};
  #numbers = new Int32Array();

  constructor(heap: Heap, job: number, run: Run, share: Run, threads: number) {
    this.#heap = heap;
    this.#job = job;
    this.#run = run;
    this.#share = share;
    this.threads = threads;
  }

  /** Returns the number of threads for a loop: all of them, or one if it is short. */
  threadsFor(multiplications: number): number {
    return multiplications < WORTH_WAKING ? 1 : this.threads;
  }

  /** Returns into how many tiles to cut a loop, if there are as many. */
  tilesFor(multiplications: number): number {
    const threads = this.threadsFor(multiplications);
    return threads === 1 ? 1 : threads * TILES_PER_THREAD;
  }

  /**
   * Runs a loop, of several tiles on one thread or on all. This may move the memory of the backend.
   *
   * @param kind  one of assembly/kinds.ts.
   * @param scratchSize  bytes for intermediate results of each thread.
   * @param numbers  the fields of the class of this kind in assembly/, in their order.
   * @throws Error if the memory of the backend is full.
   */
  run(
    kind: number,
    {tiles, threads}: {tiles: number; threads: number},
    scratchSize: number,
    numbers: readonly number[],
  ): void {
    const isShared = Math.min(tiles, threads) > 1;
    const {at} = this.#scratchOf(isShared ? this.threads * scratchSize : scratchSize);
    const job = this.#view();
    job[JOB.tiles] = tiles;
    job[JOB.kind] = kind;
    job[JOB.scratch] = at;
    job[JOB.scratch + 1] = scratchSize;
    for (let i = 0; i < numbers.length; i++) job[JOB.numbers + i] = numbers[i] as number;
    if (isShared) this.#share(this.#job);
    else this.#run(this.#job);
  }

  /** Returns the numbers of the job. They are elsewhere after the memory has grown. */
  #view(): Int32Array {
    const {buffer} = this.#heap.memory;
    if (this.#numbers.buffer !== buffer) this.#numbers = new Int32Array(buffer, this.#job, JOB.most);
    return this.#numbers;
  }

  /** Returns memory of at least this size. It is kept for later jobs. */
  #scratchOf(size: number): {at: number} {
    if (size <= this.#scratch.size) return this.#scratch;
    const {malloc, free} = this.#heap;
    free(this.#scratch.at);
    this.#scratch = {at: 0, size: 0};
    // The size wraps around at 4 GB.
    const at = size < 2 ** 32 ? malloc(size) : 0;
    if (at === 0) throw new Error(`the memory of the wasm backend has no ${size} bytes left`);
    this.#scratch = {at, size};
    return this.#scratch;
  }
}

const made = new WeakMap<object, {jobs: Jobs; isShared: boolean} | null>();

/**
 * Returns the jobs of a backend. Returns null where their code cannot run, above all without SIMD;
 * and for large ones where only XNNPACK has threads.
 */
export function jobsFor({wasm}: WasmBackend, multiplications: number): Jobs | null {
  let found = made.get(wasm);
  if (found === undefined) {
    found = jobsIn(wasm);
    made.set(wasm, found);
  }
  const isForXnnpack = found?.isShared && found.jobs.threads === 1 && multiplications >= LARGE_ON_THREADS;
  return found === null || isForXnnpack ? null : found.jobs;
}

function jobsIn({asm, wasmMemory, _malloc, _free, jobThreads}: WasmBackend['wasm']) {
  const memory = [wasmMemory, ...Object.values(asm ?? {})].find((part) => part instanceof WebAssembly.Memory);
  if (!memory || !_malloc || !_free) return null;
  // By its name: test runners give each file an ArrayBuffer of its own.
  const isShared = String(memory.buffer) === '[object SharedArrayBuffer]';
  let code: WebAssembly.Module;
  let functions: WebAssembly.Exports;
  try {
    code = moduleOf(isShared ? SHARED_HEAD : OWN_HEAD, JOBS);
    functions = new WebAssembly.Instance(code, {env: {memory}}).exports;
  } catch {
    return null;
  }
  // Places after 2 GB come as negative numbers.
  const malloc = (bytes: number) => _malloc(bytes) >>> 0;
  const job = malloc(JOB.most * WORD);
  if (job === 0) return null;
  new Int32Array(memory.buffer, job, JOB.most).fill(0);
  const {compute, run} = functions as {compute: WebAssembly.ImportValue; run: Run};
  const share = jobThreads?.start(code, memory, job, compute) ?? run;
  const threads = 1 + (jobThreads?.count ?? 0);
  return {jobs: new Jobs({memory, malloc, free: _free}, job, run, share, threads), isShared};
}

function moduleOf(...base64: string[]): WebAssembly.Module {
  const bytes = base64.map((text) => atob(text)).join('');
  return new WebAssembly.Module(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}
