import {
  add,
  backend,
  cast,
  clipByValue,
  concat,
  exp,
  memory,
  mul,
  multinomial,
  randomUniform,
  reshape,
  square,
  sub,
  type Tensor,
  tensor1d,
  tidy,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {afterEach, expect, it, vi} from 'vitest';
import {kernelCounts} from '../../bench/kernelCounts';
import {capture} from '../../src/engine';
import {compile, NotReplayable, type Program} from '../../src/replay/program';
import {describeOnBackends} from '../support/backends';
import {tidied} from '../support/tensors';
import {trainsOn} from '../support/wasmTraining';

const idsOf = (tensors: Tensor[]) => tensors.map(({dataId}) => dataId);

/**
 * Compiles what `f` does to tensors, and what a run of it gives for others. Runs within a `tidy`.
 */
function replayOf(f: (...given: Tensor[]) => Tensor, first: Tensor[], draw?: () => Tensor) {
  const {result, events} = capture(
    () => f(...first),
    () => ({}),
  );
  const program = compile(events, {given: idsOf(first)}, [result.dataId], draw && (() => draw));
  const place = {number: program.numberOf(result.dataId), shape: result.shape, dtype: result.dtype};
  const run = (...given: Tensor[]): number[] => {
    const {tensorAt, release} = program.run(idsOf(given));
    const made = tensorAt(place);
    release();
    return [...made.dataSync()];
  };
  return {program, run};
}

describeOnBackends('A program', (name) => {
  trainsOn(name);
  afterEach(() => void vi.restoreAllMocks());

  const programs: Program[] = [];
  const kept = <T extends {program: Program}>(made: T): T => {
    programs.push(made.program);
    return made;
  };
  afterEach(() => {
    for (const program of programs.splice(0)) program.dispose();
  });

  it('computes what was captured, from other data', () => {
    tidy(() => {
      const f = (a: Tensor, b: Tensor) => mul(add(a, b), sub(exp(a), 2));
      const {run} = kept(replayOf(f, [tensor1d([1, 2]), tensor1d([3, 4])]));
      for (const [a, b] of [
        [
          [5, -1],
          [0.5, 2],
        ],
        [
          [0, 0],
          [1, 1],
        ],
      ] as const) {
        expect(run(tensor1d([...a]), tensor1d([...b]))).toEqual([...f(tensor1d([...a]), tensor1d([...b])).dataSync()]);
      }
    });
  });

  it('runs once what is computed twice, and not at all what nothing reads or only has another shape', async () => {
    const [x, other] = [tensor1d([1, 2, 3, 4]), tensor1d([2, 3, 4, 5])];
    const made = kept(
      tidied(() =>
        replayOf(
          (a) => {
            exp(a);
            const one = square(reshape(a, [2, 2]));
            const two = square(reshape(cast(a, 'float32'), [2, 2]));
            return add(one, mul(two, add(zerosLike(one), zerosLike(two))));
          },
          [x],
        ),
      ),
    );
    const counts = Object.fromEntries(await kernelCounts(() => tidy(() => void made.run(other))));
    expect(counts).toEqual({Square: 1, ZerosLike: 1, Add: 2, Multiply: 1});
    x.dispose();
    other.dispose();
  });

  it('tells kernels apart by their attributes, also by those that JSON does not have', () => {
    tidy(() => {
      const f = (x: Tensor) =>
        concat([
          clipByValue(x as never, Number.NEGATIVE_INFINITY, 2),
          clipByValue(x as never, 0, 2),
          clipByValue(x as never, 0, Number.POSITIVE_INFINITY),
        ] as never);
      const {run} = kept(replayOf(f, [tensor1d([1, 1])]));
      expect(run(tensor1d([-5, 5]))).toEqual([-5, 2, 0, 2, 0, 5]);
    });
  });

  it('draws anew what was drawn, also if nothing reads it, and keeps what is constant', () => {
    tidy(() => {
      let draws = 0;
      const draw = () => {
        draws++;
        return tensor1d([draws, draws]);
      };
      const f = (x: Tensor) => {
        randomUniform([2]);
        return add(mul(x, randomUniform([2])), tensor1d([100, 100]));
      };
      const {run} = kept(replayOf(f, [tensor1d([1, 1])], draw));
      expect(run(tensor1d([1, 10]))).toEqual([102, 120]);
      expect(run(tensor1d([1, 10]))).toEqual([104, 140]);
    });
  });

  it('takes a seeded draw for the constant that it is', () => {
    tidy(() => {
      const {run} = kept(replayOf((x) => add(x, randomUniform([2], 0, 1, 'float32', 5)), [tensor1d([0, 0])]));
      expect(run(tensor1d([0, 0]))).toEqual([...randomUniform([2], 0, 1, 'float32', 5).dataSync()]);
    });
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ['an unknown random draw', (x) => add(x, randomUniform([2]))],
    ['a kernel that draws', (x) => cast(multinomial(x as never, 2, 3), 'float32')],
  ])('refuses %s', (_, f) => {
    expect(() => tidy(() => void replayOf(f, [tensor1d([0.5, 0.5])]))).toThrow(NotReplayable);
  });

  it('refuses data from elsewhere, and the same data given twice', () => {
    tidy(() => {
      const elsewhere = tensor1d([1, 2]);
      const x = tensor1d([3, 4]);
      expect(() => replayOf((given) => add(given, elsewhere), [x])).toThrow('data comes from elsewhere');
      expect(() => replayOf((a, b) => add(a, b), [x, reshape(x, [2])])).toThrow('the same data is given twice');
    });
  });

  it('leaves no data behind, also if a kernel throws in the middle', () => {
    const x = tensor1d([1, 2]);
    const made = kept(tidied(() => replayOf((a) => exp(square(add(a, 1))), [x])));
    const before = [memory().numTensors, memory().numDataBuffers, memory().numBytes, backend().numDataIds()];
    const after = () => [memory().numTensors, memory().numDataBuffers, memory().numBytes, backend().numDataIds()];
    for (let i = 0; i < 20; i++) tidy(() => void made.run(x));
    expect(after()).toEqual(before);
    // No such data: the first kernel throws, or the second, which reads what the first gave.
    expect(() => made.program.run([{}])).toThrow();
    expect(after()).toEqual(before);
    x.dispose();
  });

  it('is no longer current once a kernel is registered anew', async () => {
    const {getKernel, registerKernel, unregisterKernel} = await import('@tensorflow/tfjs-core');
    const x = tensor1d([1, 2]);
    const {program} = kept(tidied(() => replayOf((a) => exp(a), [x])));
    expect(program.isCurrent()).toBe(true);
    const config = getKernel('Exp', name);
    unregisterKernel('Exp', name);
    try {
      registerKernel({...config});
      expect(program.isCurrent()).toBe(false);
    } finally {
      unregisterKernel('Exp', name);
      registerKernel(config);
    }
    expect(program.isCurrent()).toBe(true);
    x.dispose();
  });
});
