import {describe, expect, it, vi} from 'vitest';
import {PRODUCT} from '../../../src/backends/wasm/assembly/kinds';
import {type Jobs, jobsFor} from '../../../src/backends/wasm/jobs';
import {multiplyMatrices} from '../../../src/backends/wasm/product';
import type {WasmBackend} from '../../../src/backends/wasm/workbench';

type Program = WasmBackend['wasm'];

describe('The jobs of a backend', () => {
  const shared = () => new WebAssembly.Memory({initial: 32, maximum: 32, shared: true});
  const own = () => new WebAssembly.Memory({initial: 32});
  const backendOf = (wasm: Program) => ({wasm}) as WasmBackend;
  /** Reserves bytes one after another. */
  const heap = () => {
    let next = 4096;
    const malloc = vi.fn((bytes: number) => {
      const at = next;
      next += bytes;
      return at;
    });
    return {_malloc: malloc, _free: vi.fn()};
  };
  const [few, many] = [2 ** 26 - 1, 2 ** 26];
  /** Adds a row times a column to the number at byte 32. */
  const multiply = (jobs: Jobs | null, memory: WebAssembly.Memory) => {
    const numbers = new Float32Array(memory.buffer, 0, 9);
    numbers.set([1, 2, 3, 4, 5, 6, 7, 8, 100]);
    if (jobs) multiplyMatrices(jobs, 32, {at: 0, row: 8, column: 4}, {at: 16, row: 8, column: 4}, 1, 2, 1, true);
    return numbers[8];
  };

  it('work in its memory, also where threads share it', () => {
    const found = [own(), shared()].map((memory) => [memory, {asm: {memory}}] as const);
    const named = shared();
    for (const [memory, wasm] of [...found, [named, {asm: {}, wasmMemory: named}] as const]) {
      const jobs = jobsFor(backendOf({...wasm, ...heap()}), 4);
      expect(multiply(jobs, memory)).toBe(100 + 1 * 5 + 2 * 7);
    }
  });

  it('are one tile each, if they run on one thread', () => {
    const jobs = jobsFor(backendOf({asm: {memory: own()}, ...heap()}), many);
    expect(jobs).toMatchObject({threads: 1});
    expect(jobs?.tilesFor(many)).toBe(1);
  });

  it('are left to XNNPACK if they are large, where only it has threads', () => {
    const backend = backendOf({asm: {memory: shared()}, ...heap()});
    expect(jobsFor(backend, few)).not.toBeNull();
    expect(jobsFor(backend, many)).toBeNull();
  });

  it('are shared with threads if they are worth it, each with memory of its own', () => {
    const memory = shared();
    const {_malloc, _free} = heap();
    const share = vi.fn();
    const start = vi.fn(() => share);
    const jobs = jobsFor(backendOf({asm: {memory}, _malloc, _free, jobThreads: {count: 2, start}}), many);
    const job = _malloc.mock.results[0]?.value;
    expect(start.mock.calls).toEqual([[expect.any(WebAssembly.Module), memory, job, expect.any(Function)]]);
    expect(jobs).toMatchObject({threads: 3});
    expect([2 ** 20 - 1, 2 ** 20].map((multiplications) => jobs?.threadsFor(multiplications))).toEqual([1, 3]);
    expect([2 ** 20 - 1, 2 ** 20].map((multiplications) => jobs?.tilesFor(multiplications))).toEqual([1, 12]);
    const run = (tiles: number, threads: number) =>
      jobs?.run(PRODUCT, {tiles, threads}, 1000, [32, 4, 0, 8, 4, 16, 8, 4, 2, 1, 1, 1, 8, 1]);
    run(1, 3);
    run(2, 1);
    expect(_malloc).toHaveBeenLastCalledWith(1000);
    expect(share).not.toHaveBeenCalled();
    run(2, 3);
    expect(_malloc).toHaveBeenLastCalledWith(3 * 1000);
    expect(share.mock.calls).toEqual([[job]]);
  });

  it('keep memory for intermediate results, as much as any has needed', () => {
    const memory = own();
    const {_malloc, _free} = heap();
    const jobs = jobsFor(backendOf({asm: {memory}, _malloc, _free}), 4);
    multiply(jobs, memory);
    multiply(jobs, memory);
    expect(_malloc).toHaveBeenCalledTimes(2);
    const {value: first} = _malloc.mock.results[1] as {value: number};
    _malloc.mockReturnValueOnce(0);
    const run = (size: number) => () =>
      jobs?.run(PRODUCT, {tiles: 1, threads: 1}, size, [32, 4, 0, 8, 4, 16, 8, 4, 1, 2, 1, 8, 8, 512]);
    expect(run(100_000)).toThrow(new Error('the memory of the wasm backend has no 100000 bytes left'));
    expect(_free).toHaveBeenLastCalledWith(first);
    // No more than an address can say, modulo which it would be reserved.
    expect(run(2 ** 32 + 8)).toThrow('has no 4294967304 bytes left');
    expect(multiply(jobs, memory)).toBe(119);
    expect(_free).toHaveBeenLastCalledWith(0);
    expect(_malloc).toHaveBeenCalledTimes(4);
  });

  it('are made once', () => {
    const {_malloc, _free} = heap();
    const backend = backendOf({asm: {memory: own()}, _malloc, _free});
    expect(jobsFor(backend, 1)).toBe(jobsFor(backend, 1));
    expect(_malloc).toHaveBeenCalledTimes(1);
  });

  it('are missing where its memory cannot be found, is full, or takes no vectors', () => {
    const memory = own();
    expect(jobsFor(backendOf({}), 1)).toBeNull();
    expect(jobsFor(backendOf({asm: {memory}}), 1)).toBeNull();
    expect(jobsFor(backendOf({asm: {memory}, _malloc: () => 8}), 1)).toBeNull();
    expect(jobsFor(backendOf({asm: {table: {}}, ...heap()}), 1)).toBeNull();
    expect(jobsFor(backendOf({asm: {memory}, ...heap(), _malloc: () => 0}), 1)).toBeNull();
    const compile = vi.spyOn(WebAssembly, 'Module').mockImplementation(function refuse() {
      throw new WebAssembly.CompileError('no vectors');
    });
    const {_malloc, _free} = heap();
    expect(jobsFor(backendOf({asm: {memory}, _malloc, _free}), 1)).toBeNull();
    expect(_malloc).not.toHaveBeenCalled();
    compile.mockRestore();
  });
});
