import {
  memory,
  ones,
  type Rank,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tensor2d,
  tensor3d,
  train,
} from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model as layersModel,
  regularizers,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {
  all,
  categoricalCrossentropy,
  halfSquaredError,
  meanSquaredError,
  ohemStep,
  type SelectionContext,
  type Selector,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {recordingOptimizer} from '../support/recordingOptimizer';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const CLOSE = {absolute: 1e-6, relative: 1e-5};

/** −log p of the true class for the rows of the tiny model, in float64. */
const TINY_LOSSES = [
  [1, -1, 0],
  [0.5, 2, 1],
  [2, -2, 0],
  [1, 4, 0],
  [-1.5, -1, 1],
  [0, -5, 1],
].map((row) => {
  const [a = 0, b = 0, label = 0] = row;
  return Math.log(Math.exp(a) + Math.exp(b)) - (label === 0 ? a : b);
});

describeOnBackends('ohemStep', () => {
  const crossentropy = {loss: categoricalCrossentropy()};

  describe('reports', () => {
    it('the losses, the selection and both means, whatever the strategy', async () => {
      for (const backward of ['masked', 'recompute', 'pruned'] as const) {
        const step = ohemStep(tinyModel(), {
          ...crossentropy,
          select: topK({k: 2}),
          optimizer: train.sgd(0.1),
          backward,
        });
        const report = step(tinyXs(), tinyYs());
        expectClose(report.losses, TINY_LOSSES, CLOSE);
        expect([...report.selection.indices.dataSync()]).toEqual([5, 3]);
        expect([...report.selection.weights.dataSync()]).toEqual([1, 1]);
        const {loss, batchLoss, kept, nonFinite} = await report.read();
        expect(loss).toBeCloseTo(((TINY_LOSSES[5] as number) + (TINY_LOSSES[3] as number)) / 2, 5);
        expect(batchLoss).toBeCloseTo(TINY_LOSSES.reduce((sum, value) => sum + value) / 6, 5);
        expect([kept, nonFinite]).toEqual([2, 0]);
      }
    });

    it('the loss by the given reduction', async () => {
      const kept = (TINY_LOSSES[5] as number) + (TINY_LOSSES[3] as number);
      for (const [reduction, expected] of [
        ['mean', kept / 2],
        ['sum', kept],
        ['batchMean', kept / 6],
      ] as const) {
        const step = ohemStep(tinyModel(), {
          ...crossentropy,
          select: topK({k: 2}),
          optimizer: train.sgd(0.1),
          reduction,
        });
        expect((await step(tinyXs(), tinyYs()).read()).loss).toBeCloseTo(expected, 4);
      }
    });

    it('the loss and the optimizer that it was compiled with', () => {
      const model = tinyModel();
      const optimizer = train.sgd(0.5);
      model.compile({optimizer, loss: 'categoricalCrossentropy'});
      const given = tinyModel();
      const compiledStep = ohemStep(model, {select: topK({k: 2})});
      const givenStep = ohemStep(given, {...crossentropy, select: topK({k: 2}), optimizer: train.sgd(0.5)});
      compiledStep(tinyXs(), tinyYs()).dispose();
      givenStep(tinyXs(), tinyYs()).dispose();
      expect(weightValues(model)).toEqual(weightValues(given));
    });

    it('a loss of tfjs-layers that has no counterpart here', async () => {
      const model = tinyModel();
      model.compile({optimizer: 'sgd', loss: 'meanSquaredLogarithmicError'});
      const {kept} = await ohemStep(model, {select: all()})(tinyXs(), tinyYs()).read();
      expect(kept).toBe(6);
    });

    it('three quarters of the batch where no selector is given', async () => {
      const {kept} = await ohemStep(tinyModel(), {...crossentropy, optimizer: train.sgd(0.1)})(
        tinyXs(),
        tinyYs(),
      ).read();
      expect(kept).toBe(5);
    });

    it('a Sequential that nothing has been done with yet', async () => {
      const fresh = sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [2]})]});
      const {kept} = await ohemStep(fresh, {...crossentropy, optimizer: train.sgd(0.1)})(tinyXs(), tinyYs()).read();
      expect(kept).toBe(5);
    });
  });

  describe('is given', () => {
    it('tensors, lists or records by name, to the same effect', () => {
      const results = (['tensor', 'list', 'record'] as const).map((form) => {
        const model = tinyModel();
        const step = ohemStep(model, {...crossentropy, select: topK({k: 3}), optimizer: train.sgd(0.5)});
        const arranged = (tensor: Tensor, names: string[]) =>
          form === 'tensor' ? tensor : form === 'list' ? [tensor] : {[String(names[0])]: tensor};
        step(arranged(tinyXs(), model.inputNames), arranged(tinyYs(), model.outputNames)).dispose();
        return weightValues(model);
      });
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
    });

    it('labels and targets of one value a row', async () => {
      const sparse = ohemStep(tinyModel(), {
        loss: sparseCategoricalCrossentropy(),
        select: topK({k: 2}),
        optimizer: train.sgd(0.1),
      });
      const report = sparse(tinyXs(), tensor1d([0, 1, 0, 0, 1, 1], 'int32'));
      expectClose(report.losses, TINY_LOSSES, CLOSE);
      const line = sequential({layers: [layers.dense({units: 1, inputShape: [1], kernelInitializer: 'ones'})]});
      const regression = ohemStep(line, {loss: meanSquaredError(), select: all(), optimizer: train.sgd(0)});
      expectClose(regression(tensor1d([1, 2]), tensor1d([3, 3])).losses, [4, 1], CLOSE);
    });

    it('a loss with further axes, which it averages over each row', () => {
      const model = sequential({layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [3, 2]})]});
      const step = ohemStep(model, {
        loss: sparseCategoricalCrossentropy({ignoreLabel: -1}),
        select: topK({k: 1}),
        optimizer: train.sgd(0),
      });
      const xs = ones([2, 3, 2]);
      const report = step(xs, tensor2d([0, 0, -1, 1, -1, -1], [2, 3], 'int32'));
      const probabilities = (model.predict(xs) as Tensor).dataSync();
      expectClose(report.losses, [-Math.log(probabilities[0] as number), -Math.log(probabilities[1] as number)], CLOSE);
    });
  });

  describe('weighs', () => {
    const weightOf = [1, 4, 1, 0.25, 1, 0.125];

    it('samples before it selects, and ranks by the weighted loss', () => {
      for (const sampleWeight of [weightOf, Float32Array.from(weightOf), tensor1d(weightOf)]) {
        const step = ohemStep(tinyModel(), {...crossentropy, select: topK({k: 2}), optimizer: train.sgd(0.1)});
        const report = step(tinyXs(), tinyYs(), {sampleWeight});
        const weighted = TINY_LOSSES.map((loss, row) => loss * (weightOf[row] as number));
        expectClose(report.losses, weighted, CLOSE);
        const hardest = [...weighted.keys()]
          .sort((a, b) => (weighted[b] as number) - (weighted[a] as number))
          .slice(0, 2);
        expect([...report.selection.indices.dataSync()]).toEqual(hardest);
      }
    });

    it("samples, but ranks by the loss without weights where rankBy is 'raw'", () => {
      const step = ohemStep(tinyModel(), {
        ...crossentropy,
        select: topK({k: 2}),
        optimizer: train.sgd(0.1),
        rankBy: 'raw',
      });
      const report = step(tinyXs(), tinyYs(), {sampleWeight: weightOf});
      expect([...report.selection.indices.dataSync()]).toEqual([5, 3]);
      expect(report.loss.dataSync()[0]).toBeCloseTo(
        ((TINY_LOSSES[5] as number) * 0.125 + (TINY_LOSSES[3] as number) * 0.25) / 2,
        5,
      );
    });

    it('classes, of one-hot and of integer labels, and counts those without a weight as 1', () => {
      const labels = [0, 1, 0, 0, 1, 1];
      const expected = TINY_LOSSES.map((loss, row) => loss * (labels[row] === 1 ? 3 : 1));
      const options = {select: all(), optimizer: train.sgd(0)};
      const oneHot = ohemStep(tinyModel(), {...crossentropy, ...options})(tinyXs(), tinyYs(), {classWeight: {1: 3}});
      expectClose(oneHot.losses, expected, CLOSE);
      const sparse = ohemStep(tinyModel(), {loss: sparseCategoricalCrossentropy(), ...options});
      expectClose(sparse(tinyXs(), tensor1d(labels, 'int32'), {classWeight: {1: 3}}).losses, expected, CLOSE);
    });

    it('samples and classes at once', () => {
      const step = ohemStep(tinyModel(), {...crossentropy, select: all(), optimizer: train.sgd(0)});
      const report = step(tinyXs(), tinyYs(), {sampleWeight: weightOf, classWeight: {0: 2}});
      const expected = TINY_LOSSES.map(
        (loss, row) => loss * (weightOf[row] as number) * ([0, 2, 3].includes(row) ? 2 : 1),
      );
      expectClose(report.losses, expected, CLOSE);
    });
  });

  describe('with several outputs', () => {
    const twoOutputs = () => {
      const x = input({shape: [2]});
      const head = (name: string) => layers.dense({name, units: 2, activation: 'softmax'}).apply(x) as SymbolicTensor;
      return layersModel({inputs: x, outputs: [head('left'), head('right')]});
    };
    const lossesOf = (report: {losses: Tensor1D}) => [...report.losses.dataSync()];

    it('adds their losses row by row, each with its weight', () => {
      const model = twoOutputs();
      const ys = [tinyYs(), tinyYs()];
      const sum = (lossWeights: number[] | Record<string, number>) =>
        lossesOf(ohemStep(model, {...crossentropy, lossWeights, select: all(), optimizer: train.sgd(0)})(tinyXs(), ys));
      const [left, right] = [sum([1, 0]), sum([0, 1])];
      const both = left.map((value, row) => value + 3 * (right[row] as number));
      expectClose(sum([1, 3]), both, CLOSE);
      expectClose(sum({right: 3}), both, CLOSE);
    });

    it('takes a loss, sample weights and class weights for each, by place or by name', () => {
      const model = twoOutputs();
      const ys = {left: tinyYs(), right: tinyYs()};
      const options = {select: all(), optimizer: train.sgd(0)};
      const byName = ohemStep(model, {loss: {right: halfSquaredError(), left: 'categoricalCrossentropy'}, ...options});
      const byPlace = ohemStep(model, {loss: [categoricalCrossentropy(), halfSquaredError()], ...options});
      const weights = tensor1d([1, 2, 3, 4, 5, 6]);
      const one = lossesOf(byName(tinyXs(), ys, {sampleWeight: {left: weights}, classWeight: {right: {0: 5}}}));
      const other = lossesOf(byPlace(tinyXs(), ys, {sampleWeight: [weights, ones([6])], classWeight: [null, {0: 5}]}));
      expectClose(one, other, CLOSE);
      const plain = lossesOf(byPlace(tinyXs(), ys));
      expect(one[5]).not.toBeCloseTo(plain[5] as number, 3);
    });

    it('gives the selector no yTrue and yPred, and one output gives both', () => {
      const contexts: SelectionContext[] = [];
      const spy: Selector = (losses, context = {}) => {
        contexts.push({...context});
        return topK({k: 1})(losses, context);
      };
      const options = {...crossentropy, select: spy, optimizer: train.sgd(0), backward: 'masked' as const};
      ohemStep(twoOutputs(), options)(tinyXs(), [tinyYs(), tinyYs()]).dispose();
      ohemStep(tinyModel(), options)(tinyXs(), tinyYs()).dispose();
      expect(contexts.map(({yTrue, yPred}) => [yTrue?.shape, yPred?.shape])).toEqual([
        [undefined, undefined],
        [
          [6, 2],
          [6, 2],
        ],
      ]);
    });
  });

  describe('hands the selector', () => {
    it('the number of steps taken, or the one it is given, and whatever else the batch has', () => {
      const steps: unknown[] = [];
      const spy: Selector = (losses, context) => {
        steps.push([context?.step, context?.group?.size]);
        return topK({k: 1})(losses, context);
      };
      const step = ohemStep(tinyModel(), {...crossentropy, select: spy, optimizer: train.sgd(0), backward: 'masked'});
      step(tinyXs(), tinyYs()).dispose();
      step(tinyXs(), tinyYs(), {group: tensor1d([0, 0, 0, 1, 1, 1], 'int32')}).dispose();
      step(tinyXs(), tinyYs(), {step: 40}).dispose();
      expect(steps).toEqual([
        [0, undefined],
        [1, 6],
        [40, undefined],
      ]);
    });

    it('rows that are not valid as such, and never trains on them', async () => {
      for (const backward of ['masked', 'recompute', 'pruned'] as const) {
        const step = ohemStep(tinyModel(), {
          ...crossentropy,
          select: topK({k: 2}),
          optimizer: train.sgd(0.1),
          backward,
        });
        const report = step(tinyXs(), tinyYs(), {valid: tensor1d([1, 1, 1, 1, 1, 0])});
        expect([...report.selection.indices.dataSync()]).toEqual([3, 4]);
        const {batchLoss} = await report.read();
        expect(batchLoss).toBeCloseTo(TINY_LOSSES.slice(0, 5).reduce((sum, value) => sum + value) / 5, 5);
      }
    });

    it('ignored labels as rows that are not valid', async () => {
      const loss = sparseCategoricalCrossentropy({ignoreLabel: 255});
      const step = ohemStep(tinyModel(), {loss, select: topK({ratio: 0.5}), optimizer: train.sgd(0.1)});
      const labels = tensor1d([0, 1, 0, 255, 255, 255], 'int32');
      const {kept, batchLoss} = await step(tinyXs(), labels).read();
      expect(kept).toBe(2);
      expect(batchLoss).toBeCloseTo(TINY_LOSSES.slice(0, 3).reduce((sum, value) => sum + value) / 3, 5);
      const {kept: keptOfNone, loss: lossOfNone} = await step(tinyXs(), labels, {
        valid: tensor1d([0, 0, 0, 1, 1, 1]),
      }).read();
      expect([keptOfNone, lossOfNone]).toEqual([0, 0]);
    });
  });

  describe('trains', () => {
    it('what is trainable, and leaves frozen layers as they are', () => {
      const model = sequential({
        layers: [
          layers.dense({units: 3, inputShape: [2], trainable: false}),
          layers.dense({units: 2, activation: 'softmax'}),
        ],
      });
      const before = weightValues(model);
      ohemStep(model, {...crossentropy, optimizer: train.adam(0.1)})(tinyXs(), tinyYs()).dispose();
      const after = weightValues(model);
      expect(after.map((values, i) => String(values) === String(before[i]))).toEqual([false, false, true, true]);
    });

    it('with the regularisers of the model as fit does, also of shared layers', async () => {
      const build = () => {
        const [a, b] = [input({shape: [2]}), input({shape: [2]})];
        const shared = layers.dense({
          units: 3,
          kernelInitializer: 'ones',
          kernelRegularizer: regularizers.l2({l2: 0.1}),
        });
        const twice = layers.add().apply([shared.apply(a) as SymbolicTensor, shared.apply(b) as SymbolicTensor]);
        const last = layers.dense({
          units: 1,
          kernelInitializer: 'ones',
          kernelRegularizer: regularizers.l1({l1: 0.05}),
        });
        return layersModel({inputs: [a, b], outputs: last.apply(twice) as SymbolicTensor});
      };
      const [ours, theirs] = [build(), build()];
      const [xs, ys] = [[tinyXs(), tinyXs()], tensor2d([1, 0, 2, 0, 1, 3], [6, 1])];
      theirs.compile({optimizer: train.sgd(0.1), loss: 'meanSquaredError'});
      await theirs.trainOnBatch(xs, ys);
      ohemStep(ours, {loss: meanSquaredError(), select: all(), optimizer: train.sgd(0.1)})(xs, ys).dispose();
      weightValues(ours).forEach((values, i) => {
        expectClose(values, weightValues(theirs)[i] as number[], CLOSE);
      });
    });

    it('as trainOnBatch does where every row is kept', async () => {
      const [ours, theirs] = [tinyModel(), tinyModel()];
      theirs.compile({optimizer: train.momentum(0.1, 0.9), loss: 'categoricalCrossentropy'});
      const step = ohemStep(ours, {...crossentropy, select: all(), optimizer: train.momentum(0.1, 0.9)});
      for (let t = 0; t < 5; t++) {
        await theirs.trainOnBatch(tinyXs(), tinyYs());
        step(tinyXs(), tinyYs()).dispose();
      }
      weightValues(ours).forEach((values, i) => {
        expectClose(values, weightValues(theirs)[i] as number[], CLOSE);
      });
    });

    it('with gradients of a global norm of at most clipNorm', () => {
      const normOf = (clipNorm?: number) => {
        const recorder = recordingOptimizer();
        const limit = clipNorm === undefined ? {} : {clipNorm};
        const step = ohemStep(tinyModel(), {
          ...crossentropy,
          select: topK({k: 2}),
          optimizer: recorder.optimizer,
          ...limit,
        });
        step(tinyXs(), tinyYs()).dispose();
        return Math.hypot(...recorder.gradients.flatMap((gradient) => [...gradient.dataSync()]));
      };
      const free = normOf();
      expect(normOf(free / 4)).toBeCloseTo(free / 4, 5);
      expect(normOf(free * 4)).toBeCloseTo(free, 5);
    });

    it('a small problem to the end: exclusive or, from its hard half', async () => {
      const model = sequential({
        layers: [
          layers.dense({
            units: 8,
            activation: 'tanh',
            inputShape: [2],
            kernelInitializer: 'ones',
            biasInitializer: 'zeros',
          }),
          layers.dense({units: 2, activation: 'softmax'}),
        ],
      });
      model.setWeights([
        tensor2d([1, -1, 0.5, -0.5, 0.8, -0.2, 0.3, -0.9, 0.4, 0.7, -0.6, 0.9, -0.3, 0.2, -0.8, 0.1], [2, 8]),
        tensor1d([0.1, -0.1, 0.2, -0.2, 0.3, -0.3, 0.1, -0.1]),
        tensor2d([0.1, -0.1, 0.2, -0.2, 0.3, -0.3, 0.1, -0.1, 0.2, -0.2, 0.1, -0.1, 0.3, -0.3, 0.2, -0.2], [8, 2]),
        tensor1d([0, 0]),
      ]);
      const [xs, ys] = [tensor2d([0, 0, 0, 1, 1, 0, 1, 1], [4, 2]), tensor2d([1, 0, 0, 1, 0, 1, 1, 0], [4, 2])];
      const step = ohemStep(model, {...crossentropy, select: topK({ratio: 0.5}), optimizer: train.adam(0.05)});
      for (let t = 0; t < 300; t++) step(xs, ys).dispose();
      expect((await step(xs, ys).read()).batchLoss).toBeLessThan(0.05);
    });
  });

  describe('chooses', () => {
    it('pruned where fewer rows are kept than there are, masked else, and says why', () => {
      const strategies = [1, 3, 4, 6].map((k) => {
        const step = ohemStep(tinyModel(), {...crossentropy, select: topK({k}), optimizer: train.sgd(0.1)});
        expect([step.strategy, step.why]).toEqual(['auto', 'the first batch decides']);
        step(tinyXs(), tinyYs()).dispose();
        return [step.strategy, step.why];
      });
      const saved = 'of the multiplications of the backward pass';
      expect(strategies).toEqual([
        ['pruned', `1 of 6 rows run backward, which saves 83 % ${saved}`],
        ['pruned', `3 of 6 rows run backward, which saves 50 % ${saved}`],
        ['pruned', `4 of 6 rows run backward, which saves 33 % ${saved}`],
        ['masked', 'all 6 rows run backward, because all are kept'],
      ]);
    });

    it('anew for a batch of another size', () => {
      const step = ohemStep(tinyModel(), {...crossentropy, select: topK({k: 2}), optimizer: train.sgd(0.1)});
      step(tinyXs(), tinyYs()).dispose();
      expect(step.strategy).toBe('pruned');
      step(tensor2d([1, 0, 0, 1], [2, 2]), tensor2d([1, 0, 0, 1], [2, 2])).dispose();
      expect(step.strategy).toBe('masked');
    });

    it('as requested, from the start', () => {
      const step = ohemStep(tinyModel(), {...crossentropy, backward: 'recompute', optimizer: train.sgd(0.1)});
      expect([step.strategy, step.why]).toEqual(['recompute', 'as requested']);
    });
  });

  it('leaves everything that it was given as it was', () => {
    const [xs, ys, sampleWeight, valid] = [tinyXs(), tinyYs(), ones<Rank.R1>([6]), ones<Rank.R1>([6])];
    const step = ohemStep(tinyModel(), {...crossentropy, optimizer: train.sgd(0.1)});
    step(xs, ys, {sampleWeight, valid}).dispose();
    for (const tensor of [xs, ys, sampleWeight, valid]) expect(tensor.isDisposed).toBe(false);
  });

  it('cannot be called after dispose(), which leaves model and optimizer alone', () => {
    const model = tinyModel();
    const step = ohemStep(model, {...crossentropy, optimizer: train.sgd(0.1)});
    step.dispose();
    expect(() => step(tinyXs(), tinyYs())).toThrow(
      'ohemStep: the step must not be called after dispose(). Build another one.',
    );
    expect(() => weightValues(model)).not.toThrow();
  });

  it('gives the same weights for the same batches twice', () => {
    const [first, second] = [tinyModel(), tinyModel()].map((model) => {
      const step = ohemStep(model, {...crossentropy, select: topK({k: 3}), optimizer: train.adam(0.1)});
      for (let t = 0; t < 20; t++) step(tinyXs(), tinyYs()).dispose();
      return weightValues(model);
    });
    expect(first).toEqual(second);
  });

  it('takes several axes of features', () => {
    const model = sequential({
      layers: [layers.flatten({inputShape: [2, 1]}), layers.dense({units: 2, activation: 'softmax'})],
    });
    const step = ohemStep(model, {...crossentropy, optimizer: train.sgd(0.1)});
    const before = memory().numTensors;
    const xs = tensor3d([1, 2, 3, 4], [2, 2, 1]);
    step(xs, tensor2d([1, 0, 0, 1], [2, 2])).dispose();
    expect(memory().numTensors - before).toBe(2);
  });
});
