import {
  mean,
  mul,
  square,
  sub,
  type Tensor1D,
  tensor1d,
  tensor2d,
  tidy,
  topk,
  train,
  variable,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  categoricalCrossentropy,
  miningLedger,
  ohemStep,
  type PerSampleLoss,
  type Selector,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const loss = categoricalCrossentropy();

const twoLayers = (): Sequential => {
  const dense = (activation: 'tanh' | 'softmax') =>
    layers.dense({units: 2, activation, kernelInitializer: 'ones', ...(activation === 'tanh' && {inputShape: [2]})});
  return sequential({layers: [dense('tanh'), dense('softmax')]});
};

/** What people do with a training step over its life. */
describeOnBackends('ohemStep', () => {
  it('keeps the momentum of each weight its own when a layer is frozen, and when it is thawed again', () => {
    const model = twoLayers();
    const step = ohemStep(model, {loss, select: all(), optimizer: train.momentum(0.1, 0.9)});
    const [first, last] = model.layers as [Sequential['layers'][number], Sequential['layers'][number]];
    const kernelOf = (layer: typeof first) => [...(layer.getWeights()[0]?.dataSync() ?? [])];
    step(tinyXs(), tinyYs()).dispose();
    const before = kernelOf(last);
    // Velocity of the last kernel after one step: v₁ = g₁, and w₁ = w₀ − 0.1 · g₁.
    const velocity = before.map((value) => (1 - value) / 0.1);
    const gradient = (() => {
      const recorder = twoLayers();
      recorder.setWeights(model.getWeights());
      const probe = ohemStep(recorder, {loss, select: all(), optimizer: train.sgd(1)});
      probe(tinyXs(), tinyYs()).dispose();
      const after = [...(recorder.layers[1]?.getWeights()[0]?.dataSync() ?? [])];
      return before.map((value, i) => value - (after[i] as number));
    })();
    first.trainable = false;
    const frozen = kernelOf(first);
    step(tinyXs(), tinyYs()).dispose();
    const expected = before.map((value, i) => value - 0.1 * (0.9 * (velocity[i] as number) + (gradient[i] as number)));
    expectClose(kernelOf(last), expected, {absolute: 1e-5, relative: 1e-4});
    expect(kernelOf(first)).toEqual(frozen);
    first.trainable = true;
    step(tinyXs(), tinyYs()).dispose();
    expect(kernelOf(first)).not.toEqual(frozen);
  });

  it('clips gradients whose squares overflow', () => {
    const model = tinyModel();
    const huge: PerSampleLoss = (yTrue, yPred) => tidy(() => mean(square(mul(sub(yPred, yTrue), 1e19)), 1));
    const step = ohemStep(model, {loss: huge, select: topK({k: 1}), optimizer: train.sgd(1), clipNorm: 1});
    step(tinyXs(), tinyYs()).dispose();
    const moved = weightValues(model)
      .flat()
      .map((value, i) => value - (weightValues(tinyModel()).flat()[i] as number));
    expect(Math.hypot(...moved)).toBeCloseTo(1, 3);
  });

  it('refuses a clipNorm that is no limit', () => {
    expect(() => ohemStep(tinyModel(), {loss, optimizer: train.sgd(1), clipNorm: Number.POSITIVE_INFINITY})).toThrow(
      'ohemStep: clipNorm must be a finite number > 0, got Infinity.',
    );
  });

  it('gives a label that has no class weight, and one below 0, the weight 1', () => {
    const step = ohemStep(tinyModel(), {
      loss: sparseCategoricalCrossentropy({ignoreLabel: -1}),
      select: all(),
      optimizer: train.sgd(0),
    });
    const labels = tensor1d([0, 1, -1, 0, 1, -1], 'int32');
    const plain = step(tinyXs(), labels).losses.dataSync();
    const weighted = step(tinyXs(), labels, {classWeight: {0: 5}}).losses;
    expectClose(
      weighted,
      [...plain].map((value, row) => value * ([0, 3].includes(row) ? 5 : 1)),
      {absolute: 1e-6, relative: 1e-5},
    );
  });

  it('names the loss that was not built, and the output that has none', () => {
    const forgotten = ohemStep(tinyModel(), {loss: categoricalCrossentropy as never, optimizer: train.sgd(1)});
    expect(() => forgotten(tinyXs(), tinyYs())).toThrow(
      'categoricalCrossentropy: options must be a record, got a tensor float32[',
    );
    const promise = ohemStep(tinyModel(), {loss: (() => 3) as never, optimizer: train.sgd(1)});
    expect(() => promise(tinyXs(), tinyYs())).toThrow('ohemStep: loss must return a tensor, got 3.');
  });

  it('says so when a report is read twice', async () => {
    const report = ohemStep(tinyModel(), {loss, optimizer: train.sgd(1)})(tinyXs(), tinyYs());
    await report.read();
    await expect(report.read()).rejects.toThrow('StepReport: read() must be called once, got a second call.');
  });

  it('takes null for options that are not there', () => {
    const step = ohemStep(tinyModel(), {loss, optimizer: train.sgd(1)});
    expect(() => step(tinyXs(), tinyYs(), null as never).dispose()).not.toThrow();
    expect(() => ohemStep(tinyModel(), null)).toThrow(
      'ohemStep: loss must be given, or the model be compiled with one',
    );
    const nothing = {select: null, reduction: null, lossWeights: null, rankBy: null, backward: null, clipNorm: null};
    expect(() => ohemStep(tinyModel(), {loss, optimizer: train.sgd(1), ...nothing})).not.toThrow();
    const dynamics = {fromLogits: null} as never;
    expect(() => ohemStep(tinyModel(), {loss, optimizer: train.sgd(1), dynamics})).not.toThrow();
    expect(miningLedger(6, {dynamics}).dynamics).toEqual({fromLogits: false});
    expect(miningLedger(6, {dynamics: null as never}).dynamics).toBeUndefined();
  });

  it('shows no more of a wrong argument than helps', () => {
    const step = ohemStep(tinyModel(), {loss, optimizer: train.sgd(1)});
    const rows = Array.from({length: 500}, () => [1, 2]);
    expect(() => step(rows as never, tinyYs())).toThrow(/^.{0,250}$/);
    expect(() => step(new Float32Array(500) as never, tinyYs())).toThrow(/^.{0,250}$/);
    expect(() => step(tinyXs(), tinyYs(), {valid: [1, 1, 1, 1, 1, 0] as never})).toThrow(
      'ohemStep: valid must be a tensor of shape [6], got [1, 1, 1, 1, 1, 0]. Make one with tf.tensor1d().',
    );
    expect(() => step(tinyXs(), tinyYs(), {sampleWeight: [1, 1, 1, 1, 1, -1]})).toThrow(
      'ohemStep: sampleWeight must hold numbers >= 0, got -1 at position 5.',
    );
  });

  it('lets a selector go by the losses themselves', async () => {
    const overOne: Selector = (losses: Tensor1D) => {
      const count = [...losses.dataSync()].filter((value) => value > 1).length;
      const {indices} = topk(losses, count, true);
      return {indices: indices as Tensor1D, weights: tidy(() => sub(1, zerosLike(indices))) as Tensor1D};
    };
    const selecting: Selector = (losses, context) =>
      tidy(() => {
        const {indices, weights} = overOne(losses, context);
        return {indices, weights: tensor1d([...weights.dataSync()])};
      });
    const step = ohemStep(tinyModel(), {loss, select: selecting, optimizer: train.sgd(0.1)});
    expect((await step(tinyXs(), tinyYs()).read()).kept).toBe(2);
  });

  it('chooses anew when the selector keeps another number of rows', () => {
    const shrinking: Selector = (losses, context) => topK({k: context?.step === 0 ? 6 : 2})(losses, context);
    const step = ohemStep(tinyModel(), {loss, select: shrinking, optimizer: train.sgd(0.1)});
    const strategies = [0, 1, 2].map(() => {
      step(tinyXs(), tinyYs()).dispose();
      return step.strategy;
    });
    expect(strategies).toEqual(['masked', 'pruned', 'pruned']);
  });

  it('does not choose recompute by itself where rows mix: normalised by themselves, the kept rows are another model', () => {
    const model = sequential({
      layers: [
        layers.dense({units: 64, activation: 'relu', inputShape: [2]}),
        layers.batchNormalization(),
        layers.dense({units: 2, activation: 'softmax'}),
      ],
    });
    const step = ohemStep(model, {loss, select: topK({k: 1}), optimizer: train.sgd(0.1)});
    step(tinyXs(), tinyYs()).dispose();
    expect(['pruned', 'masked']).toContain(step.strategy);
    expect(step.why).not.toContain('recompute');
  });

  describe('reports kept 0', () => {
    it('where a row that overflowed inside the model was in the way of the others', async () => {
      const model = sequential({
        layers: [
          layers.dense({units: 2, activation: 'relu', inputShape: [2], kernelInitializer: 'ones'}),
          layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'ones'}),
        ],
      });
      const step = ohemStep(model, {loss, select: all(), optimizer: train.sgd(0.1), backward: 'masked'});
      const {kept, nonFinite} = await step(tensor2d([3e38, 3e38, 1, 0], [2, 2]), tensor2d([1, 0, 0, 1], [2, 2])).read();
      expect([kept, nonFinite]).toEqual([0, 1]);
    });
  });

  it('leaves variables alone that are not of the model', () => {
    const other = variable(tensor1d([1, 2]));
    const step = ohemStep(tinyModel(), {loss, optimizer: train.adam(0.1)});
    step(tinyXs(), tinyYs()).dispose();
    expect([...other.dataSync()]).toEqual([1, 2]);
  });
});
