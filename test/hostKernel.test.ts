import {
  dispose,
  engine,
  fill,
  grad,
  type KernelBackend,
  memory,
  mul,
  setBackend,
  tensor,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {hostKernel, isForHostKernel, runHostKernel} from '../src/hostKernel';
import {describeOnBackends} from './support/backends';

const SUMS = hostKernel('TestSums', ['Values', 'Others'], ({read, add, apply}, width) => {
  const [values, others] = [read('Values'), read('Others')];
  const sums = new Float32Array(values.length / width);
  for (let at = 0; at < values.length; at++) {
    const row = Math.floor(at / width);
    sums[row] = add(sums[row] as number, (values[at] as number) * (others[at] as number));
  }
  return apply('Log', apply('Exp', sums));
});

describeOnBackends('A kernel of the host', (backend) => {
  it('reads its inputs, runs kernels of the backend, and leaves only its result', () => {
    const [values, others] = [tensor([1, 2, 3, 4, 5, 6], [2, 3]), tensor([1, 0, 1, 0, 1, 0], [2, 3])];
    const before = {...memory()};
    const sums = runHostKernel(SUMS, [values, others], [2]);
    expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors + 1, before.numDataBuffers + 1]);
    expect([sums.dtype, sums.shape]).toEqual(['float32', [2]]);
    const [first, second] = sums.dataSync();
    expect(first).toBeCloseTo(4, 5);
    expect(second).toBeCloseTo(5, 5);
    for (const tensor of [values, others, sums]) tensor.dispose();
    expect(memory().numDataBuffers).toBe(before.numDataBuffers - 2);
  });

  it('reads data of another backend, for which the memory of this one must grow', async () => {
    const ends = hostKernel('TestEnds', ['Values', 'Others'], ({read}) => {
      const [values, others] = [read('Values'), read('Others')];
      return Float32Array.of(values[0] as number, others.at(-1) as number);
    });
    const values = tensor1d([5]);
    await setBackend('cpu');
    const others = fill([12_000_000], 7);
    await setBackend(backend);
    const found = runHostKernel(ends, [values, others], [2]);
    expect([...found.dataSync()]).toEqual([5, 7]);
    dispose([values, others, found]);
  });

  it('is not taken for one of the same name, of another version of the library', () => {
    const versions = [1, 2, 3].map((version) => hostKernel('TestVersion', ['Values'], () => Float32Array.of(version)));
    tidy(() => {
      const input = zeros([1]);
      for (const _ of [1, 2]) {
        const found = versions.map((version) => runHostKernel(version, [input], [1]).dataSync()[0]);
        expect(found).toEqual([1, 2, 3]);
      }
    });
  });

  it('adds in float32 on wasm and in float64 on cpu, as the kernels there', () => {
    const small = hostKernel('TestSmall', ['Values'], ({read, add}) => {
      const [one = 0, two = 0] = read('Values');
      return Float32Array.of(add(add(one, two), -one));
    });
    tidy(() => {
      const [rest] = runHostKernel(small, [tensor1d([1, 2 ** -30])], [1]).dataSync();
      expect(rest).toBe(backend === 'wasm' ? 0 : 2 ** -30);
    });
  });

  it('gets its inputs from other backends before it reads one, as wasm may move its memory', async () => {
    const other = backend === 'wasm' ? 'cpu' : 'wasm';
    await setBackend(other);
    const far = tensor1d([5, 6, 7]);
    await setBackend(backend);
    const near = tensor1d([1, 2, 3]);
    let isComputing = false;
    const moves: boolean[] = [];
    const {move} = engine().backend;
    engine().backend.move = function (...given) {
      moves.push(isComputing);
      move.apply(this, given);
    };
    const sums = hostKernel('TestFarSums', ['Near', 'Far'], ({read}) => {
      isComputing = true;
      const [one, two] = [read('Near'), read('Far')];
      isComputing = false;
      return Float32Array.from(one, (value, i) => value + (two[i] as number));
    });
    const result = runHostKernel(sums, [near, far], [3]);
    expect([...result.dataSync()]).toEqual([6, 8, 10]);
    // On cpu, data does not lie where it could move.
    expect(moves.length).toBeGreaterThan(0);
    expect(moves.includes(true)).toBe(backend === 'cpu');
    delete (engine().backend as Partial<KernelBackend>).move;
    dispose([far, near, result]);
  });

  it('is for small tensors on wasm, for all on cpu, and for none on a tape or without numbers', () => {
    const seen: boolean[] = [];
    tidy(() => {
      const [few, many] = [zeros([1024]), zeros([1025])];
      expect([isForHostKernel(few, few), isForHostKernel(few, many)]).toEqual([true, backend === 'cpu']);
      expect(isForHostKernel(few, zeros([0]))).toBe(false);
      grad((x) => {
        seen.push(isForHostKernel(few));
        return mul(x, x);
      })(few);
      // A gradient that throws leaves the tape of tfjs behind.
      expect(() => grad(() => zeros([1]))(few)).toThrow();
      seen.push(isForHostKernel(few));
    });
    expect(seen).toEqual([false, true]);
  });
});
