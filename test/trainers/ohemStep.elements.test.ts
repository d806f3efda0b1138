import {
  add,
  memory,
  mul,
  notEqual,
  oneHot,
  ones,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  tensor,
  tensor1d,
  tensor2d,
  tensor3d,
  tidy,
  train,
  zeros,
} from '@tensorflow/tfjs-core';
import {input, layers, model as layersModel, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  all,
  categoricalCrossentropy,
  meanSquaredError,
  ohemStep,
  type SelectionContext,
  type Selector,
  type StepReport,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS} from '../support/property';
import {keeps} from '../support/selections';
import {type Sequences, sequenceModel, sequencesFrom} from '../support/sequenceModel';
import {tinyModel, weightValues} from '../support/tinyModel';

const CLOSE = {absolute: 1e-5, relative: 1e-5};
const sparse = sparseCategoricalCrossentropy({ignoreLabel: 255});

/** Keeps what `topK` does, and shows what it was given. */
function spying(keep = topK({k: 2})): {select: Selector; contexts: SelectionContext[]} {
  const contexts: SelectionContext[] = [];
  const select: Selector = (losses, context = {}) => {
    contexts.push(
      Object.fromEntries(
        Object.entries(context).map(([name, value]) => [
          name,
          isTensor(value) ? [value.shape, ...numbers(value)] : value,
        ]),
      ),
    );
    return keep(losses, context);
  };
  return {select, contexts};
}

const isTensor = (value: unknown): value is Tensor => typeof (value as Tensor | null)?.dataSync === 'function';
const numbers = (values: Tensor): number[] => [...values.dataSync()];

/** What a report says, as numbers. */
const told = ({losses, selection, loss, batchLoss, nonFinite}: StepReport) => ({
  losses: numbers(losses),
  indices: numbers(selection.indices),
  weights: numbers(selection.weights),
  figures: [loss, batchLoss, nonFinite].flatMap(numbers),
});

describeOnBackends('ohemStep that mines elements', () => {
  /** The same step on places of rows, and on rows that are these places. */
  const both = (options: object, {xs, ys, flatXs, flatYs}: Sequences, ...givens: [object?, object?]) => {
    const [ofElements, ofRows] = [sequenceModel(xs.shape[1] as number), tinyModel()];
    const common = {loss: sparse, optimizer: train.sgd(0.5), ...options};
    const elementStep = ohemStep(ofElements, {...common, granularity: 'element'});
    const rowStep = ohemStep(ofRows, {...common, optimizer: train.sgd(0.5)});
    const elements = told(elementStep(xs, ys, givens[0]));
    const rows = told(rowStep(flatXs, flatYs, givens[1] ?? givens[0]));
    return {elements, rows, weights: weightValues(ofElements), rowWeights: weightValues(ofRows)};
  };
  const expectSame = ({elements, rows, weights, rowWeights}: ReturnType<typeof both>) => {
    expectClose(elements.losses, rows.losses, CLOSE);
    expect(elements.indices).toEqual(rows.indices);
    expect(elements.weights).toEqual(rows.weights);
    expectClose(elements.figures, rows.figures, CLOSE);
    expectClose(weights.flat(), rowWeights.flat(), CLOSE);
  };

  describe('does what mining rows does, where each place of a row is a row,', () => {
    it('for any number of rows, places and kept ones, ignored labels and sample weights', () => {
      fc.assert(
        fc.property(
          fc.integer({min: 1, max: 4}),
          fc.integer({min: 1, max: 5}),
          keeps,
          fc.integer(),
          fc.constantFrom(0, 0.4, 1),
          fc.constantFrom('mean', 'sum', 'batchMean'),
          fc.boolean(),
          (batchSize, steps, keep, seed, ignored, reduction, isWeighted) => {
            tidy(() => {
              const sequences = sequencesFrom(seed, batchSize, steps, ignored);
              const weights = sequences.labels.map((_, i) => (i % 3) / 2);
              const givens: [object, object] = [
                {sampleWeight: tensor(weights, [batchSize, steps])},
                {sampleWeight: tensor1d(weights)},
              ];
              expectSame(both({select: topK(keep), reduction}, sequences, ...(isWeighted ? givens : [])));
            });
          },
        ),
        {...RUNS, numRuns: 40},
      );
    });

    it('for one-hot labels, and with the optimizer of several steps', () => {
      const [ofElements, ofRows] = [sequenceModel(4), tinyModel()];
      const options = {loss: categoricalCrossentropy(), select: topK({ratio: 0.3})};
      const elementStep = ohemStep(ofElements, {...options, optimizer: train.adam(0.1), granularity: 'element'});
      const rowStep = ohemStep(ofRows, {...options, optimizer: train.adam(0.1)});
      for (let t = 0; t < 5; t++) {
        const {xs, flatXs, labels} = sequencesFrom(t, 3, 4);
        const flatYs = oneHot(tensor1d(labels, 'int32'), 2);
        elementStep(xs, reshape(flatYs, [3, 4, 2])).dispose();
        rowStep(flatXs, flatYs).dispose();
      }
      expectClose(weightValues(ofElements).flat(), weightValues(ofRows).flat(), CLOSE);
    });

    it('with class weights, and ranked without them', () => {
      const sequences = sequencesFrom(7, 2, 6, 0.2);
      for (const rankBy of ['weighted', 'raw']) {
        expectSame(both({select: topK({k: 4}), rankBy}, sequences, {classWeight: {0: 1, 1: 9}}));
      }
      const oneHots = sequencesFrom(8, 2, 6);
      const flatYs = oneHot(tensor1d(oneHots.labels, 'int32'), 2);
      const options = {loss: categoricalCrossentropy(), select: topK({k: 4})};
      expectSame(both(options, {...oneHots, flatYs, ys: reshape(flatYs, [2, 6, 2])}, {classWeight: {1: 4}}));
    });

    it('with clipped gradients, and labels that have an axis of their own', () => {
      const sequences = sequencesFrom(9, 3, 4);
      const ys = reshape(sequences.ys, [3, 4, 1]);
      expectSame(both({select: topK({k: 5}), clipNorm: 0.1}, {...sequences, ys}));
    });

    it('also where there are more to keep than elements, and where a row has one element', () => {
      expectSame(both({select: topK({k: 99})}, sequencesFrom(3, 1, 5)));
      expectSame(both({select: topK({k: 2})}, sequencesFrom(4, 5, 1)));
    });

    it('where an output has no further axes, which is mining rows', () => {
      const {flatXs, flatYs} = sequencesFrom(5, 2, 4);
      const [ofElements, ofRows] = (['element', 'sample'] as const).map((granularity) => {
        const model = tinyModel();
        const options = {loss: sparse, select: topK({k: 3}), backward: 'masked'} as const;
        const step = ohemStep(model, {...options, optimizer: train.sgd(0.5), granularity});
        return [told(step(flatXs, flatYs)), weightValues(model)];
      });
      expect(ofElements).toEqual(ofRows);
    });
  });

  describe('weighs', () => {
    const lossesWith = (sampleWeight?: Tensor | number[]) => {
      const options = {loss: sparse, select: all(), optimizer: train.sgd(0), granularity: 'element'} as const;
      const {xs, ys} = sequencesFrom(11, 2, 3);
      return told(ohemStep(sequenceModel(3), options)(xs, ys, sampleWeight ? {sampleWeight} : {})).losses;
    };
    const weighed = (weights: number[]) => lossesWith().map((loss, i) => loss * (weights[i] as number));

    it('all elements of a row by one number', () => {
      expectClose(lossesWith([2, 3]), weighed([2, 2, 2, 3, 3, 3]), CLOSE);
      expectClose(lossesWith(tensor1d([2, 3])), weighed([2, 2, 2, 3, 3, 3]), CLOSE);
    });

    it('each element by a number of its own', () => {
      expectClose(lossesWith(tensor2d([1, 0, 2, 3, 4, 5], [2, 3])), weighed([1, 0, 2, 3, 4, 5]), CLOSE);
    });

    it('pixels in their order', () => {
      const model = sequential({layers: [layers.dense({units: 1, inputShape: [2, 3, 1], kernelInitializer: 'ones'})]});
      const options = {
        loss: meanSquaredError(),
        select: all(),
        optimizer: train.sgd(0),
        granularity: 'element',
      } as const;
      const [xs, ys] = [tensor([...Array(12).keys()], [2, 2, 3, 1]), tensor(Array(12).fill(0), [2, 2, 3])];
      const sampleWeight = tensor3d([...Array(12).keys()], [2, 2, 3]);
      const {losses} = told(ohemStep(model, options)(xs, ys, {sampleWeight}));
      expectClose(
        losses,
        [...Array(12).keys()].map((pixel) => pixel ** 3),
        CLOSE,
      );
    });
  });

  describe('hands the selector', () => {
    const run = (given: object, shape = [2, 3]) => {
      const {select, contexts} = spying();
      const options = {loss: sparse, select, optimizer: train.sgd(0), granularity: 'element'} as const;
      const [batchSize = 1, steps = 1] = shape;
      const {xs, ys} = sequencesFrom(1, batchSize, steps);
      ohemStep(sequenceModel(steps), options)(xs, ys, given).dispose();
      return contexts[0] as Record<string, unknown>;
    };

    it('the row of each element as its group, and the elements of truth and prediction', () => {
      const {group, yTrue, yPred, step, valid} = run({});
      expect(group).toEqual([[6], 0, 0, 0, 1, 1, 1]);
      expect((yTrue as unknown[])[0]).toEqual([6, 1]);
      expect((yPred as unknown[])[0]).toEqual([6, 2]);
      expect(step).toBe(0);
      expect(valid).toEqual([[6], 1, 1, 1, 1, 1, 1]);
    });

    it('what the caller says of the elements, in a row of them or in their shape', () => {
      for (const shape of [[6], [2, 3]]) {
        const of = (...values: number[]) => tensor(values, shape);
        const boxes = tensor([...Array(24).keys()], [...shape, 4]);
        const given = {valid: of(1, 1, 0, 1, 1, 1), positive: of(0, 1, 0, 0, 0, 1), reference: of(1, 2, 3, 4, 5, 6)};
        const context = run({...given, boxes, group: tensor([5, 5, 5, 5, 7, 7], shape, 'int32'), schedule: {at: 3}});
        expect(context).toMatchObject({
          valid: [[6], 1, 1, 0, 1, 1, 1],
          positive: [[6], 0, 1, 0, 0, 0, 1],
          reference: [[6], 1, 2, 3, 4, 5, 6],
          group: [[6], 5, 5, 5, 5, 7, 7],
          boxes: [[6, 4], ...Array(24).keys()],
          schedule: {at: 3},
        });
      }
    });

    it('no group where rows are mined', () => {
      const {select, contexts} = spying();
      const {flatXs, flatYs} = sequencesFrom(1, 2, 3);
      const step = ohemStep(tinyModel(), {loss: sparse, select, optimizer: train.sgd(0), backward: 'masked'});
      step(flatXs, flatYs, {schedule: [1]}).dispose();
      expect(contexts[0]).not.toHaveProperty('group');
      expect(contexts[0]).toMatchObject({schedule: [1]});
    });

    it('enough to keep the hardest element of each image', () => {
      const perImage: Selector = (losses, context) =>
        tidy(() => {
          const images = numbers(context?.group as Tensor1D);
          const values = numbers(losses);
          const hardest = [...new Set(images)].map((image) =>
            values.reduce((best, loss, i) => (images[i] === image && !(loss <= (values[best] ?? -1)) ? i : best), -1),
          );
          return {indices: tensor1d(hardest, 'int32'), weights: tensor1d(hardest.map(() => 1))};
        });
      const {xs, ys} = sequencesFrom(21, 4, 5);
      const step = ohemStep(sequenceModel(5), {
        loss: sparse,
        select: perImage,
        optimizer: train.sgd(0.1),
        granularity: 'element',
      });
      const {indices, losses} = told(step(xs, ys));
      const expected = [0, 1, 2, 3].map((row) => {
        const ofRow = losses.slice(5 * row, 5 * row + 5);
        return 5 * row + ofRow.indexOf(Math.max(...ofRow));
      });
      expect(indices).toEqual(expected);
    });
  });

  describe('with ignored labels', () => {
    const labels = (...values: number[]) => tensor2d(values, [2, 3], 'int32');
    const stepOf = (model = sequenceModel(3)) => ({
      model,
      step: ohemStep(model, {
        loss: sparse,
        select: topK({ratio: 0.5}),
        optimizer: train.momentum(0.5, 0.9),
        granularity: 'element',
      }),
    });

    it('leaves an ignored image out, and takes the ratio of what is left', async () => {
      const {step} = stepOf();
      const {xs} = sequencesFrom(31, 2, 3);
      const report = step(xs, labels(255, 255, 255, 0, 1, 0));
      const {losses, indices, weights} = told(report);
      expect(losses.slice(0, 3)).toEqual([0, 0, 0]);
      const keptPlaces = indices.filter((_, place) => (weights[place] as number) > 0);
      expect(keptPlaces.length).toBe(2);
      expect(keptPlaces.every((place) => place >= 3)).toBe(true);
      const {batchLoss, kept, nonFinite} = await report.read();
      expect([kept, nonFinite]).toEqual([2, 0]);
      expect(batchLoss).toBeCloseTo(losses.reduce((sum, loss) => sum + loss) / 3, 5);
    });

    it('changes nothing where all of them are', async () => {
      const {model, step} = stepOf();
      const {xs, ys} = sequencesFrom(31, 2, 3);
      step(xs, ys).dispose();
      const before = weightValues(model);
      const {kept, loss, batchLoss, nonFinite} = await step(xs, labels(...Array(6).fill(255))).read();
      expect([kept, loss, batchLoss, nonFinite]).toEqual([0, 0, 0, 0]);
      expect(weightValues(model)).toEqual(before);
    });
  });

  describe('with what is not finite', () => {
    const options = () => ({loss: sparse, select: all(), optimizer: train.sgd(0.5), granularity: 'element'}) as const;

    it('leaves every element out of a row with a NaN in its input, and learns from the others as if they were not there', async () => {
      const {xs, ys} = sequencesFrom(41, 3, 4);
      const values = numbers(xs);
      values[10] = Number.NaN;
      const model = sequenceModel(4);
      const report = ohemStep(model, options())(tensor3d(values, [3, 4, 2]), ys);
      expect(told(report).losses.map(Number.isNaN)).toEqual([...Array(12).keys()].map((i) => i >= 4 && i < 8));
      const {kept, nonFinite} = await report.read();
      expect([kept, nonFinite]).toEqual([8, 4]);
      const without = sequenceModel(4);
      const rest = [...values.slice(0, 8), ...values.slice(16)];
      const restYs = [...numbers(ys).slice(0, 4), ...numbers(ys).slice(8)];
      ohemStep(without, options())(tensor3d(rest, [2, 4, 2]), tensor2d(restYs, [2, 4], 'int32')).dispose();
      expectClose(weightValues(model).flat(), weightValues(without).flat(), CLOSE);
    });

    it('leaves the one element out whose loss is not finite', async () => {
      const {xs} = sequencesFrom(42, 2, 3);
      const target = tensor3d([1, 0, Number.NaN, 1, 1, 0, 0, 1, 0, 1, 1, 0], [2, 3, 2]);
      const model = sequenceModel(3);
      const report = ohemStep(model, {...options(), loss: meanSquaredError()})(xs, target);
      expect(told(report).losses.map(Number.isNaN)).toEqual([false, true, false, false, false, false]);
      const {kept, nonFinite} = await report.read();
      expect([kept, nonFinite]).toEqual([5, 1]);
      expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
      expect(weightValues(model)).not.toEqual(weightValues(sequenceModel(3)));
    });

    it('changes nothing where no row is finite', async () => {
      const model = sequenceModel(3);
      const {kept, nonFinite} = await ohemStep(model, options())(
        tensor3d(Array(12).fill(Number.NaN), [2, 3, 2]),
        sequencesFrom(1, 2, 3).ys,
      ).read();
      expect([kept, nonFinite]).toEqual([0, 6]);
      expect(weightValues(model)).toEqual(weightValues(sequenceModel(3)));
    });
  });

  describe('of two outputs', () => {
    const heads = (secondShape: number[]) => {
      const x = input({shape: [4, 2]});
      const head = (name: string) => layers.dense({name, units: 2, activation: 'softmax', kernelInitializer: 'ones'});
      const right = layers.reshape({name: 'right', targetShape: secondShape});
      const outputs = [head('left').apply(x), right.apply(head('inner').apply(x) as SymbolicTensor)];
      return layersModel({inputs: x, outputs: outputs as SymbolicTensor[]});
    };

    it('adds their losses element by element, each with its weight, also where they lie in other axes', () => {
      const {xs, ys, labels} = sequencesFrom(51, 3, 4);
      const other = tensor(
        labels.map((label) => 1 - label),
        [3, 2, 2],
        'int32',
      );
      const losses = (lossWeights: number[]) => {
        const model = heads([2, 2, 2]);
        const options = {loss: sparse, lossWeights, select: topK({k: 5}), optimizer: train.sgd(0.1)};
        return told(ohemStep(model, {...options, granularity: 'element'})(xs, [ys, other])).losses;
      };
      const [left, right] = [losses([1, 0]), losses([0, 1])];
      expect(left).toHaveLength(12);
      expectClose(
        losses([1, 3]),
        left.map((loss, i) => loss + 3 * (right[i] as number)),
        CLOSE,
      );
    });

    it('takes weights in the axes of each, and counts an element by the output that knows its label', () => {
      const {xs} = sequencesFrom(52, 1, 4);
      const [left, right] = [
        tensor2d([0, 255, 1, 255], [1, 4], 'int32'),
        tensor3d([0, 1, 255, 255], [1, 2, 2], 'int32'),
      ];
      const step = ohemStep(heads([2, 2, 2]), {
        loss: sparse,
        select: topK({k: 4}),
        optimizer: train.sgd(0.1),
        granularity: 'element',
      });
      const sampleWeight = [tensor2d([1, 1, 1, 1], [1, 4]), tensor3d([10, 100, 1000, 10000], [1, 2, 2])];
      const half = Math.log(2);
      const {losses, weights} = told(step(xs, [left, right], {sampleWeight}));
      expectClose(losses, [11 * half, 100 * half, half, 0], CLOSE);
      expect(weights).toEqual([1, 1, 1, 0]);
    });

    it('lets nothing of a label that does not count into the sum, whatever its loss is', () => {
      const {xs} = sequencesFrom(54, 1, 4);
      const seven = Object.assign((_: Tensor, yPred: Tensor) => tidy(() => add(mul(sum(yPred, 1), 0), 7)), {
        valid: (yTrue: Tensor) => tidy(() => notEqual(reshape(yTrue, [-1]), 255)),
      });
      const [left, right] = [
        tensor2d([0, 255, 1, 255], [1, 4], 'int32'),
        tensor3d([0, 1, 255, 255], [1, 2, 2], 'int32'),
      ];
      const options = {loss: seven, select: all(), optimizer: train.sgd(0.1), granularity: 'element'} as const;
      expect(told(ohemStep(heads([2, 2, 2]), options)(xs, [left, right])).losses).toEqual([14, 7, 7, 0]);
    });

    it('refuses outputs that do not have the same number of elements', () => {
      const step = ohemStep(heads([8, 1]), {loss: sparse, optimizer: train.sgd(0.1), granularity: 'element'});
      const {xs, ys} = sequencesFrom(53, 3, 4);
      expect(() => step(xs, [ys, ones([3, 8, 1])])).toThrow(
        'ohemStep: ys must have the same number of elements in every output, 12, got 24 in right. ' +
          "Mine rows instead: {granularity: 'sample'}.",
      );
    });
  });

  it('runs all rows backward, and says so', () => {
    const {xs, ys} = sequencesFrom(61, 2, 3);
    for (const backward of ['auto', 'masked'] as const) {
      const options = {loss: sparse, optimizer: train.sgd(0.1), backward, granularity: 'element'} as const;
      const step = ohemStep(sequenceModel(3), options);
      const why = 'elements of every row may be kept, so all rows run backward';
      expect([step.strategy, step.why]).toEqual(['masked', why]);
      step(xs, ys).dispose();
      expect([step.strategy, step.why]).toEqual(['masked', why]);
    }
  });

  it('takes rows of any length, where the model does', () => {
    const model = sequenceModel(null);
    const step = ohemStep(model, {loss: sparse, select: all(), optimizer: train.sgd(0.1), granularity: 'element'});
    for (const steps of [2, 5]) {
      const {xs, ys} = sequencesFrom(62, 2, steps);
      expect(told(step(xs, ys)).losses).toHaveLength(2 * steps);
    }
  });

  it.each([
    ['the loss', {loss: () => zeros([5])}, {}, 'ohemStep: loss must return one value for each element'],
    [
      'the selector',
      {
        select: () => {
          throw new Error('no selection today');
        },
      },
      {},
      'no selection today',
    ],
    ['the labels', {}, {ys: [2, 2]}, 'ohemStep: ys must have the shape of the output'],
    ['the context', {}, {positive: [2]}, 'ohemStep: positive must have shape [6] or [2, 3]'],
  ])(
    'leaks nothing and changes nothing where %s makes a step throw',
    (_, options, shapes: {[name: string]: number[]}, message) => {
      const model = sequenceModel(3);
      const {xs, ys} = sequencesFrom(72, 2, 3);
      const wrong = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, zeros(shape, 'int32')]));
      const {ys: given = ys, ...context} = wrong;
      const step = ohemStep(model, {
        loss: sparse,
        optimizer: train.momentum(0.1, 0.9),
        granularity: 'element',
        ...options,
      });
      const [before, weights] = [memory(), weightValues(model)];
      for (let attempt = 0; attempt < 3; attempt++) expect(() => step(xs, given, context)).toThrow(message);
      expect(weightValues(model)).toEqual(weights);
      expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
    },
  );

  it('leaks nothing in 300 steps', async () => {
    const {xs, ys} = sequencesFrom(71, 2, 3, 0.2);
    const sampleWeight = tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const positive = tensor2d([1, 0, 0, 0, 0, 1], [2, 3]);
    const step = ohemStep(sequenceModel(3), {
      loss: sparse,
      select: topK({ratio: 0.5}),
      optimizer: train.adam(0.01),
      clipNorm: 1,
      granularity: 'element',
    });
    step(xs, ys).dispose();
    const before = memory();
    for (let t = 0; t < 300; t++) {
      const report = step(xs, ys, {sampleWeight, classWeight: {1: 2}, positive});
      if (t % 100 === 0) await report.read();
      else report.dispose();
    }
    expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  });
});
