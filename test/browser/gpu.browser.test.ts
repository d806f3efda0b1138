import {
  backend,
  dispose,
  env,
  fill,
  gatherND,
  getBackend,
  grad,
  mul,
  range,
  reshape,
  setBackend,
  type Tensor,
  tensor,
  tensor1d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {categoricalCrossentropy, ohemStep, type Selector, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {finiteRows, isSumFinite, partialSums} from '../../src/finite';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../../src/gpu';
import {activationGradient} from '../../src/gradients/activationGradients';
import {clippedGradient} from '../../src/gradients/ownGradients';
import {surpriseOfSoftmax, throughSurprise} from '../../src/losses/logProbabilities';
import {columnSums, nanUnless, replacedRows} from '../../src/rows';
import {RUNS} from '../support/property';
import {tinyModel, tinyXs, tinyYs} from '../support/tinyModel';
import {type BackendName, describeOnBackends} from './support/backends';

/** Ways of a tensor into a kernel: from the host, and from both kinds of textures of webgl. */
const ORIGINS = {
  host: (given: Tensor) => given,
  packed: (given: Tensor) => mul(given, 1),
  unpacked: (given: Tensor) =>
    given.rank === 0
      ? given
      : gatherND(given, reshape(range(0, given.shape[0] as number, 1, 'int32'), [given.shape[0] as number, 1])),
} as const;
const origin = fc.constantFrom(...(Object.keys(ORIGINS) as (keyof typeof ORIGINS)[]));

const describeOnGpus = (title: string, specification: (backend: BackendName) => void) =>
  describeOnBackends(title, (name) => {
    if (name.startsWith('webg')) specification(name);
    else it('is for GPUs', () => expect(runsGpuKernels()).toBe(false));
  });

/** Runs a property of a few examples, each within a `tidy` that is awaited. */
const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, property), {...RUNS, numRuns: 30});

const numbersOf = async (result: Tensor): Promise<number[]> => {
  const values = Array.from(await result.data());
  result.dispose();
  return values;
};

/** All weights of a model. */
const allOf = async (model: LayersModel): Promise<number[]> =>
  (await Promise.all(model.getWeights().map((weight) => weight.data()))).flatMap((values) => Array.from(values));

const ADDED = gpuKernel({
  name: 'TestAdded',
  inputs: ['Values', 'Others'],
  dtype: 'float32',
  code: 'float total = ValuesHere; total += OthersHere; setOutput(total);',
  packed: 'setOutput(ValuesHere + OthersHere);',
});
const WINDOW = gpuKernel({
  name: 'TestWindow',
  inputs: ['Values'],
  dtype: 'int32',
  integers: ['first', 'end'],
  code: `
    int count = 0;
    for (int i = first; i < end; i++) {
      if (isNumber(getValues(row, i))) { count += 1; }
    }
    setOutput(float(count * 10 + column));`,
});

describeOnGpus('A kernel of this library', (name) => {
  it('runs at every number of a tensor, wherever its inputs lie', () =>
    check(
      fc.record({shape: fc.array(fc.integer({min: 1, max: 5}), {maxLength: 4}), origins: fc.tuple(origin, origin)}),
      async ({shape, origins}) => {
        const size = shape.reduce((product, length) => product * length, 1);
        const values = Array.from({length: size}, (_, i) => i + 0.25);
        const sums = tidy(() => {
          const [one, other] = origins.map((from) => ORIGINS[from](tensor(values, shape))) as [Tensor, Tensor];
          return runGpuKernel(ADDED, [one, other], shape);
        });
        expect(await numbersOf(sums)).toEqual(values.map((value) => 2 * value));
      },
    ));

  it('reads integers, loops, and tells what is no finite number', async () => {
    const values = [1, Number.NaN, 3, 4, Number.POSITIVE_INFINITY, 6, Number.NEGATIVE_INFINITY, 3.4e38];
    for (const from of Object.keys(ORIGINS) as (keyof typeof ORIGINS)[]) {
      const counts = tidy(() => runGpuKernel(WINDOW, [ORIGINS[from](tensor(values, [2, 4]))], [2, 3], [1, 4]));
      expect(counts.dtype).toBe('int32');
      expect(await numbersOf(counts)).toEqual([20, 21, 22, 20, 21, 22]);
    }
  });

  it('is not taken for another one of the same name', async () => {
    const other = gpuKernel({
      name: 'TestWindow',
      inputs: ['Values'],
      dtype: 'float32',
      code: 'setOutput(getValues(row, 0) + 6.0);',
    });
    const input = tensor([1, 2], [1, 2]);
    expect(await numbersOf(runGpuKernel(WINDOW, [input], [1, 1], [0, 2]))).toEqual([20]);
    expect(await numbersOf(runGpuKernel(other, [input], [1]))).toEqual([7]);
    input.dispose();
  });

  it('does not run on a tape, nor where the backend cannot', () => {
    const seen: boolean[] = [];
    const point = tensor1d([1]);
    tidy(() =>
      grad((x) => {
        seen.push(runsGpuKernels());
        return mul(x, x);
      })(point),
    );
    point.dispose();
    expect([runsGpuKernels(), ...seen]).toEqual([true, false]);
    const method = name === 'webgl' ? 'runWebGLProgram' : 'runWebGPUProgram';
    Object.assign(backend(), {[method]: undefined});
    expect(runsGpuKernels()).toBe(false);
    delete (backend() as unknown as Record<string, unknown>)[method];
    expect(runsGpuKernels()).toBe(true);
    if (name !== 'webgl') return;
    env().set('WEBGL_VERSION', 1);
    expect(runsGpuKernels()).toBe(false);
    env().set('WEBGL_VERSION', 2);
  });
});

const ODD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Tensors with the same first axis, and some numbers in them that are not finite. */
const batches = (most: number) =>
  fc.record({
    rows: fc.integer({min: 1, max: 9}),
    rests: fc.array(fc.constantFrom<number[][]>([], [1], [3], [2, 2], [2, 1, 3], [1030]), {
      minLength: 1,
      maxLength: most,
    }),
    odd: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(...ODD)), {maxLength: 3}),
    from: origin,
  });

type Batches = ReturnType<typeof batches> extends fc.Arbitrary<infer T> ? T : never;

/** Makes them, with what plain JavaScript finds. */
function made({rows, rests, odd}: Batches) {
  const parts = rests.map((rest) => {
    const shape = [rows, ...rest];
    const size = shape.reduce((product, length) => product * length, 1);
    return {shape, values: Array.from({length: size}, (_, i) => ((i % 7) - 3) / 2)};
  });
  for (const [which, place, value] of odd) {
    const {values} = parts[which % parts.length] as (typeof parts)[0];
    values[place % values.length] = value;
  }
  const isFiniteRow = (row: number) =>
    parts.every(({values}) => {
      const width = values.length / rows;
      return values.slice(row * width, (row + 1) * width).every(Number.isFinite);
    });
  return {parts, marks: Array.from({length: rows}, (_, row) => +isFiniteRow(row))};
}

describeOnGpus('On a GPU', () => {
  it('the rows of any number of tensors that are finite are found', () =>
    check(batches(9), async (given) => {
      const {parts, marks} = made(given);
      const found = tidy(() =>
        finiteRows(
          parts.map(({shape, values}) => ORIGINS[given.from](tensor(values, shape))),
          given.rows,
        ),
      ) as Tensor;
      expect(found.dtype).toBe('bool');
      expect(await numbersOf(found)).toEqual(marks);
    }));

  it('the first row of a mask stands in for those outside', () =>
    check(batches(2), async (given) => {
      const {parts, marks} = made({...given, odd: []});
      const mask = marks.map((_, row) => +!given.odd.some(([place]) => place % given.rows === row));
      const results = tidy(() => {
        const flags = tensor1d(mask, 'bool');
        return replacedRows(
          parts.map(({shape, values}) => ORIGINS[given.from](tensor(values, shape))),
          flags,
        );
      });
      const first = Math.max(mask.indexOf(1), 0);
      for (const [i, {shape, values}] of parts.entries()) {
        const width = values.length / given.rows;
        const expected = mask.flatMap((isKept, row) => {
          const from = isKept ? row : first;
          return values.slice(from * width, (from + 1) * width);
        });
        expect((results[i] as Tensor).shape).toEqual(shape);
        expect(await numbersOf(results[i] as Tensor)).toEqual(expected);
      }
    }));

  it.each([4096, 4097])('a row of the mask does so for %i rows, and row 0 if it is empty', async (rows) => {
    const values = Array.from({length: 2 * rows}, (_, i) => i);
    for (const firstKept of [3, rows]) {
      const mask = Array.from({length: rows}, (_, row) => +(row >= firstKept && row % 3 === 0));
      const [replaced] = tidy(() => replacedRows([tensor(values, [rows, 2])], tensor1d(mask, 'bool'))) as [Tensor];
      const found = await numbersOf(replaced);
      const standIn = (found[2] as number) / 2;
      expect(firstKept === rows ? standIn === 0 : mask[standIn] === 1).toBe(true);
      const expected = mask.flatMap((isKept, row) => [0, 1].map((column) => 2 * (isKept ? row : standIn) + column));
      expect(found).toEqual(expected);
    }
  });

  it('losses outside a mask become NaN', () =>
    check(fc.array(fc.boolean(), {minLength: 1, maxLength: 70}), async (flags) => {
      const values = flags.map((_, i) => i / 4);
      const marked = tidy(() => nanUnless(tensor1d(flags, 'bool'), tensor1d(values)));
      expect(await numbersOf(marked)).toEqual(values.map((value, i) => (flags[i] ? value : Number.NaN)));
    }));

  it('columns are added up', () =>
    check(
      fc.record({rows: fc.constantFrom(1, 2, 5, 1024, 1025), columns: fc.integer({min: 1, max: 40}), from: origin}),
      async ({rows, columns, from}) => {
        const values = Array.from({length: rows * columns}, (_, i) => (i % 5) - 1);
        const sums = tidy(() => columnSums(ORIGINS[from](tensor(values, [rows, columns]))));
        const expected = Array.from({length: columns}, (_, column) =>
          values.reduce((total, value, i) => (i % columns === column ? total + value : total), 0),
        );
        expect(await numbersOf(sums)).toEqual(expected);
      },
    ));

  const shapes = fc.array(fc.constantFrom<number[][]>([], [3], [40, 30], [3, 3, 2, 4], [200, 50]), {
    minLength: 1,
    maxLength: 9,
  });
  it.each([
    {what: 'gradients', huge: false},
    {what: 'statistics', huge: true},
  ])('$what are finite, with their squares if they are gradients', ({what, huge}) =>
    check(
      fc.record({
        shapes,
        from: origin,
        odd: fc.option(fc.tuple(fc.nat(), fc.nat(), fc.constantFrom(...ODD, 1e25)), {freq: 1}),
      }),
      async ({
        shapes: given,
        odd,
        from,
      }: {
        shapes: number[][];
        odd: [number, number, number] | null;
        from: keyof typeof ORIGINS;
      }) => {
        const all = given.map((shape) => {
          const values = new Float32Array(shape.reduce((product, length) => product * length, 1)).fill(0.5);
          return {shape, values};
        });
        const [which = 0, place = 0, value = 1] = odd ?? [];
        const {values} = all[which % all.length] as (typeof all)[0];
        values[place % values.length] = value;
        const found = tidy(() => {
          const tensors = all.map(({values, shape}) => ORIGINS[from](tensor(values, shape)));
          return isSumFinite(what === 'gradients' ? partialSums(tensors, []) : partialSums([tensor1d([1])], tensors));
        });
        expect(found.shape).toEqual([]);
        const isFine = Number.isFinite(value) && (huge || value !== 1e25);
        expect(await numbersOf(found)).toEqual([+isFine]);
      },
    ),
  );

  it.each([{fromLogits: true}, {fromLogits: false}])(
    'the cross-entropy of hard, impossible and invalid rows is that of float64, $fromLogits',
    async ({fromLogits}) => {
      const rows = fromLogits
        ? [
            [3, -2, 0.5],
            [80, -80, 0],
            [-1e4, 0, 2],
            [Number.NaN, 0, 1],
            [Number.POSITIVE_INFINITY, 0, 1],
          ]
        : [
            [0.2, 0.3, 0.5],
            [1e-30, 1, 0],
            [0, 1, 0],
            [0.4, 0.4, 0.8],
            [Number.NaN, 0.5, 0.5],
          ];
      const expected = rows.map((row) => {
        if (fromLogits)
          return (
            Math.log(row.reduce((total, x) => total + Math.exp(x - Math.max(...row)), 0)) -
            (row[0] as number) +
            Math.max(...row)
          );
        const share = (row[0] as number) / row.reduce((total, x) => total + x, 0);
        return -Math.log(share === 0 ? 2 ** -126 : share);
      });
      const losses = tidy(() =>
        categoricalCrossentropy({fromLogits})(
          tensor(
            rows.flatMap(() => [1, 0, 0]),
            [rows.length, 3],
          ),
          tensor(rows.flat(), [rows.length, 3]),
        ),
      );
      const found = await numbersOf(losses);
      for (const [row, loss] of expected.entries()) {
        if (Number.isFinite(loss)) expect(found[row]).toBeCloseTo(loss, 3);
        else expect(found[row]).toBeNaN();
      }
    },
  );

  it.each(['probabilities', 'a softmax'])('the gradient of the cross-entropy by %s is that of cpu', async (by) => {
    const [d, p] = [
      [0.5, 0, 0, 0, 2, 0, 0, 0, 1, 0.25, 0.25, 0.5],
      [0.2, 0.3, 0.5, 1e-30, 1, 0, 0, 0, 0, 0.4, 0.4, 0.8],
    ];
    const gradientOf = async (name: string): Promise<number[]> => {
      await setBackend(name);
      const shaped = () => [d, p].map((values) => tensor(values, [2, 2, 3])) as [Tensor, Tensor];
      const of = by === 'a softmax' ? surpriseOfSoftmax : (d: Tensor, p: Tensor) => throughSurprise(d, p, false);
      return numbersOf(tidy(() => of(...shaped())));
    };
    const name = getBackend();
    const [expected, found] = [await gradientOf('cpu'), await gradientOf(name)];
    for (const [i, value] of expected.entries()) {
      expect(Math.abs((found[i] as number) - value)).toBeLessThanOrEqual(1e-5 * Math.abs(value) + 1e-6);
    }
  });

  it.each(['Relu', 'Tanh', 'Sigmoid'])('the gradient of %s is that of cpu, also for what is no number', async (of) => {
    const y = [0.5, -0.25, 0, Number.NaN, 1, -1, Number.POSITIVE_INFINITY];
    const gradientFrom = async (name: string, from: keyof typeof ORIGINS): Promise<number[]> => {
      await setBackend(name);
      return numbersOf(
        tidy(() => {
          const given = ORIGINS[from](tensor(y, [1, y.length]));
          return activationGradient(of, given, ORIGINS[from](fill([1, y.length], 2))) as Tensor;
        }),
      );
    };
    const name = getBackend();
    const expected = await gradientFrom('cpu', 'host');
    for (const from of Object.keys(ORIGINS) as (keyof typeof ORIGINS)[]) {
      const found = await gradientFrom(name, from);
      for (const [i, value] of expected.entries()) {
        if (Number.isFinite(value)) expect(found[i]).toBeCloseTo(value, 5);
        else if (of === 'Relu') expect(found[i]).toEqual(value);
        else expect(Number.isFinite(found[i])).toBe(false);
      }
    }
  });

  it('a clip has a gradient inside its limits, and on them', () =>
    check(
      fc.record({from: fc.tuple(origin, origin), columns: fc.integer({min: 1, max: 5})}),
      async ({from, columns}) => {
        const values = Array.from({length: 3 * columns}, (_, i) => ((i % 9) - 4) / 2);
        const gradient = tidy(() => {
          const [x, dy] = [ORIGINS[from[0]](tensor(values, [3, columns])), ORIGINS[from[1]](fill([3, columns], 7))];
          return clippedGradient([x], {clipValueMin: -1, clipValueMax: 0.5}, dy).x?.() as Tensor;
        });
        expect(await numbersOf(gradient)).toEqual(values.map((value) => (value >= -1 && value <= 0.5 ? 7 : 0)));
      },
    ));

  it('a row number that is none is never trained on', async () => {
    const model = tinyModel();
    const outside: Selector = () => ({indices: tensor1d([0, 99, -1], 'int32'), weights: tensor1d([1, 1, 1])});
    const step = ohemStep(model, {loss: categoricalCrossentropy(), select: outside, optimizer: train.sgd(0.1)});
    const [xs, ys] = [tensor([1, 2, 3, 4], [2, 2]), tensor([1, 0, 0, 1], [2, 2])];
    const report = step(xs, ys);
    expect(await report.selection.weights.array()).toEqual([1, 0, 0]);
    report.dispose();
    step.dispose();
    model.dispose();
    dispose([xs, ys]);
  });

  it.each(['sgd', 'momentum', 'adam'] as const)(
    'a step of %s moves the weights as on cpu, and an unsound one leaves weights and slots',
    async (kind) => {
      const name = getBackend();
      const trained = async (on: string) => {
        await setBackend(on);
        const model = tinyModel();
        const optimizer = kind === 'momentum' ? train.momentum(0.1, 0.9) : train[kind](0.1);
        const step = ohemStep(model, {loss: categoricalCrossentropy(), select: topK({k: 2}), optimizer});
        const [xs, ys, bad] = [tinyXs(), tinyYs(), fill([6, 2], 3e38)];
        const seen: number[][] = [];
        for (const batch of [xs, xs, bad, xs]) {
          const report = step(batch, ys);
          seen.push([(await report.read()).kept, ...(await allOf(model))]);
        }
        step.dispose();
        dispose([xs, ys, bad]);
        const {iterations} = optimizer;
        optimizer.dispose();
        model.dispose();
        return {seen, iterations};
      };
      const expected = await trained('cpu');
      const found = await trained(name);
      expect(found.seen.map(([kept]) => kept)).toEqual([2, 2, 0, 2]);
      // The smallest number that Adam divides by is another one on webgl.
      for (const [i, weights] of expected.seen.entries()) {
        for (const [place, value] of weights.entries())
          expect(found.seen[i]?.[place]).toBeCloseTo(value, kind === 'adam' ? 2 : 4);
      }
      expect(found.seen[2]?.slice(1)).toEqual(found.seen[1]?.slice(1));
    },
  );

  it('topK marks the slots that no row fills, and leaves the order of ties', async () => {
    const losses = tensor1d([2, Number.NaN, 2, 5, Number.POSITIVE_INFINITY]);
    const {indices, weights} = topK({k: 5})(losses);
    expect(await numbersOf(weights)).toEqual([1, 1, 1, 0, 0]);
    expect((await numbersOf(indices)).slice(0, 3)).toEqual([3, 0, 2]);
    losses.dispose();
  });
});
