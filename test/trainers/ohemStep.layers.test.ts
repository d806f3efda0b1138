import {type Tensor, tensor1d, train} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, ohemStep, type Selector, topK} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';
import {itIf} from '../support/itIf';
import {recordingOptimizer} from '../support/recordingOptimizer';
import {tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const CLOSE = {absolute: 1e-6, relative: 1e-5};
const STRATEGIES = ['masked', 'recompute', 'pruned'] as const;

const normalised = (): Sequential => {
  return sequential({
    layers: [
      layers.batchNormalization({inputShape: [2], momentum: 0.5}),
      layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'ones'}),
    ],
  });
};

const droppedOut = (): Sequential =>
  sequential({
    layers: [
      layers.dense({units: 64, inputShape: [2], kernelInitializer: 'ones'}),
      layers.dropout({rate: 0.5, seed: 3}),
      layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'glorotNormal'}),
    ],
  });

/** Moving mean and moving variance, the last two weights of a batch normalisation. */
const statistics = (model: Sequential): number[][] =>
  weightValues({getWeights: () => model.layers[0]?.getWeights().slice(2) ?? []});

const moments = (rows: number[][]): number[][] => {
  const columns = [0, 1].map((column) => rows.map((row) => row[column] as number));
  const means = columns.map((values) => values.reduce((sum, value) => sum + value) / values.length);
  const variances = columns.map(
    (values, i) => values.reduce((sum, value) => sum + (value - (means[i] as number)) ** 2, 0) / values.length,
  );
  return [means, variances];
};

const rowsOf = (tensor: Tensor): number[][] => {
  const values = [...tensor.dataSync()];
  return [...Array(6).keys()].map((row) => values.slice(2 * row, 2 * row + 2));
};

describeOnBackends('Layers that behave differently in training', () => {
  const crossentropy = {loss: categoricalCrossentropy()};
  /** Keeps rows 0, 1 and 4, whatever their losses are. */
  const fixed: Selector = (losses, context) => {
    const {indices, weights} = topK({k: 3})(losses, context);
    indices.dispose();
    return {indices: tensor1d([0, 1, 4], 'int32'), weights};
  };

  it('batch normalisation is refused by recompute, since its rows interact, before anything changes', () => {
    const model = normalised();
    const before = weightValues(model);
    const step = ohemStep(model, {
      ...crossentropy,
      select: fixed,
      optimizer: train.sgd(0.1),
      backward: 'recompute',
    });
    expect(() => step(tinyXs(), tinyYs())).toThrow(
      new TypeError(
        "ohemStep: model and loss must be known to treat each row independently for backward: 'recompute', got rows that may interact (Mean). " +
          "The kept rows alone would have another gradient: use backward: 'auto'.",
      ),
    );
    expect(weightValues(model)).toEqual(before);
  });

  describe.each(STRATEGIES)('by %s', (backward) => {
    itIf(backward !== 'recompute')('batch normalisation moves its statistics once a step, by all rows', () => {
      const model = normalised();
      ohemStep(model, {...crossentropy, select: fixed, optimizer: train.sgd(0.1), backward})(
        tinyXs(),
        tinyYs(),
      ).dispose();
      const [means = [], variances = []] = moments(rowsOf(tinyXs()));
      const [movingMean, movingVariance] = statistics(model);
      expectClose(
        movingMean as number[],
        means.map((mean) => mean / 2),
        CLOSE,
      );
      expectClose(
        movingVariance as number[],
        variances.map((variance) => (1 + variance) / 2),
        CLOSE,
      );
    });

    it('statistics of batch normalisation are as they were after a step that throws', () => {
      const model = normalised();
      const before = weightValues(model);
      const step = ohemStep(model, {
        ...crossentropy,
        select: () => ({indices: tensor1d([9], 'int32'), weights: tensor1d([1])}),
        optimizer: train.sgd(0.1),
        backward,
      });
      expect(() => step(tinyXs(), tinyYs())).toThrow(
        'ohemStep: select must return indices from 0 to 5, got 9 at position 0.',
      );
      expect(weightValues(model)).toEqual(before);
    });

    it('dropout is drawn where gradients are taken', () => {
      const recorder = recordingOptimizer();
      const step = ohemStep(droppedOut(), {...crossentropy, select: all(), optimizer: recorder.optimizer, backward});
      step(tinyXs(), tinyYs()).dispose();
      // Half of the units are dropped for each row; a unit that is dropped for all six rows gets no
      // gradient.
      const ofLast = [...(recorder.gradients[2] as Tensor).dataSync()];
      const values = new Set(ofLast.filter((_, i) => i % 2 === 0).map((value) => value.toFixed(6)));
      // Without dropout all 64 units of this model are alike, and so are their gradients.
      expect(values.size).toBeGreaterThan(8);
    });
  });

  it('recompute scores without dropout, so that the same rows are the hardest every time', () => {
    const model = droppedOut();
    const losses = [1, 2].map(() => {
      const step = ohemStep(model, {
        ...crossentropy,
        select: topK({k: 2}),
        optimizer: train.sgd(0),
        backward: 'recompute',
      });
      return [...step(tinyXs(), tinyYs()).losses.dataSync()];
    });
    expect(losses[0]).toEqual(losses[1]);
    const probabilities = [...(model.predict(tinyXs()) as Tensor).dataSync()];
    const truth = [...tinyYs().dataSync()];
    const expected = [...Array(6).keys()].map(
      (row) => -Math.log(probabilities[2 * row + (truth[2 * row] === 1 ? 0 : 1)] as number),
    );
    expectClose(losses[0] as number[], expected, {absolute: 1e-5, relative: 1e-4});
  });

  it('masked gives batch normalisation the statistics of the whole batch: the gradient of all rows kept is that of fit', async () => {
    const [ours, theirs] = [normalised(), normalised()];
    theirs.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy'});
    await theirs.trainOnBatch(tinyXs(), tinyYs());
    const recorder = recordingOptimizer();
    ohemStep(normalised(), {...crossentropy, select: all(), optimizer: recorder.optimizer, backward: 'masked'})(
      tinyXs(),
      tinyYs(),
    ).dispose();
    expect(recorder.gradients.length).toBe(4);
    ohemStep(ours, {...crossentropy, select: all(), optimizer: train.sgd(0.1), backward: 'masked'})(
      tinyXs(),
      tinyYs(),
    ).dispose();
    ours.getWeights().forEach((weight, i) => {
      expectSameDirection(weight, theirs.getWeights()[i] as Tensor, 1e-5);
    });
  });
});
