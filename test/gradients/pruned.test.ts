import {
  grad,
  mean,
  memory,
  mul,
  ones,
  square,
  sub,
  sum,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as layersModel,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, ohemStep, type PerSampleLoss, randomK, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectSameDirection} from '../support/close';
import {SPECIMENS} from '../support/models';
import {repeatably} from '../support/property';
import {recordingOptimizer} from '../support/recordingOptimizer';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const loss = categoricalCrossentropy();

/** The gradients of the `k` hardest rows by a strategy, twice: the second step goes by what the first found out. */
function gradientsBy(backward: 'masked' | 'pruned', model: LayersModel, xs: Tensor, ys: Tensor, k: number) {
  const recorder = recordingOptimizer();
  const step = ohemStep(model, {loss, select: topK({k}), optimizer: recorder.optimizer, backward});
  step(xs, ys).dispose();
  step(xs, ys).dispose();
  return {gradients: recorder.gradients, step};
}

function expectMaskedGradients(
  build: () => LayersModel,
  xs: Tensor,
  ys: Tensor,
  k: number,
): {strategy: string; why: string} {
  const model = repeatably(build);
  const masked = gradientsBy('masked', model, xs, ys, k);
  const pruned = gradientsBy('pruned', model, xs, ys, k);
  expect(pruned.gradients.length).toBe(masked.gradients.length);
  pruned.gradients.forEach((gradient, i) => {
    expectSameDirection(gradient, masked.gradients[i] as Tensor, 1e-5);
  });
  return {strategy: pruned.step.strategy, why: pruned.step.why};
}

enableWasmTraining();

describeOnBackends('pruned', (backend) => {
  it('is what auto chooses for every kind of layer whose ops it can cut', () => {
    const strategies = SPECIMENS.filter(({wrongOn}) => !wrongOn?.includes(backend)).map(({name, build, xs, ys}) => {
      const step = ohemStep(build(), {loss, select: topK({k: 4}), optimizer: train.sgd(0.1)});
      const [inputs, targets] = [xs(16), ys(16)];
      step(inputs, targets).dispose();
      step(inputs, targets).dispose();
      return `${name}: ${step.strategy}`;
    });
    // These cut or take apart by slices, or resize, which cannot be cut: too many of their products run backward for all rows.
    const exceptions = [
      'zero padding and cropping',
      'upsampling',
      'a GRU that returns sequences',
      'a bidirectional layer',
    ];
    const expected = exceptions
      .map((name) => `${name}: recompute`)
      .filter((line) => backend === 'wasm' || !line.startsWith('upsampling'));
    expect(strategies.filter((line) => !line.endsWith(': pruned'))).toEqual(expected);
  });

  describe('where rows mix in the middle', () => {
    const normalised = (): LayersModel => {
      const x = input({shape: [6]});
      const chain = [
        layers.dense({name: 'before', units: 6, activation: 'relu', kernelInitializer: 'glorotNormal'}),
        layers.batchNormalization({name: 'normalisation'}),
        layers.dense({name: 'after', units: 5, activation: 'tanh', kernelInitializer: 'glorotNormal'}),
        layers.dense({name: 'last', units: 3, activation: 'softmax', kernelInitializer: 'glorotNormal'}),
      ];
      return layersModel({inputs: x, outputs: chain.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x)});
    };
    const xs = () => (SPECIMENS[1] as (typeof SPECIMENS)[number]).xs(12)[0] as Tensor;
    const ys = () => (SPECIMENS[0] as (typeof SPECIMENS)[number]).ys(12)[0] as Tensor;

    it('cuts what lies behind, goes on with all rows, and says where', () => {
      const {strategy, why} = expectMaskedGradients(normalised, xs(), ys(), 4);
      expect(strategy).toBe('pruned');
      expect(why).toMatch(/; all rows run backward from \w+ in normalisation on$/);
    });

    it('moves the statistics of batch normalisation once a step, and not when it looks into the model', () => {
      const [ours, theirs] = [normalised(), normalised()];
      theirs.setWeights(ours.getWeights());
      const [inputs, targets] = [xs(), ys()];
      const statistics = (model: LayersModel) =>
        weightValues({getWeights: () => model.getLayer('normalisation').getWeights().slice(2)});
      for (const [model, backward] of [
        [ours, 'pruned'],
        [theirs, 'masked'],
      ] as const) {
        ohemStep(model, {loss, select: topK({k: 4}), optimizer: train.sgd(0), backward})(inputs, targets).dispose();
      }
      expect(statistics(ours)).toEqual(statistics(theirs));
    });
  });

  it('gives the gradient of masked with the same dropout', () => {
    const build = () =>
      sequential({
        layers: [
          layers.dense({units: 16, activation: 'relu', inputShape: [2], kernelInitializer: 'glorotNormal'}),
          layers.dropout({rate: 0.5, seed: 7}),
          layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'glorotNormal'}),
        ],
      });
    expect(expectMaskedGradients(build, tinyXs(), tinyYs(), 2).strategy).toBe('pruned');
  });

  it('works for a batch of one row, for one row of many, and for all of them', () => {
    for (const [rows, k] of [
      [1, 1],
      [6, 1],
      [6, 6],
    ] as const) {
      const take = (tensor: Tensor) => tidy(() => tensor2d([...tensor.dataSync()].slice(0, 2 * rows), [rows, 2]));
      expect(expectMaskedGradients(tinyModel, take(tinyXs()), take(tinyYs()), k).strategy).toBe('pruned');
    }
  });

  it('goes by shapes: a batch of the size of a square layer is no other batch', () => {
    const build = () =>
      sequential({
        layers: [
          layers.dense({units: 6, activation: 'relu', inputShape: [6], kernelInitializer: 'glorotNormal'}),
          layers.dense({units: 6, activation: 'relu', kernelInitializer: 'glorotNormal'}),
          layers.dense({units: 3, activation: 'softmax', kernelInitializer: 'glorotNormal'}),
        ],
      });
    const specimen = SPECIMENS[1] as (typeof SPECIMENS)[number];
    const ys = (SPECIMENS[0] as (typeof SPECIMENS)[number]).ys(6)[0] as Tensor;
    expect(expectMaskedGradients(build, specimen.xs(6)[0] as Tensor, ys, 2).strategy).toBe('pruned');
  });

  it('gives way to masked where the ops of a layer change from step to step, and still gives the right gradient', () => {
    let calls = 0;
    const build = () => {
      const model = tinyModel();
      const dense = model.layers[0] as unknown as {call(...args: unknown[]): Tensor};
      const call = dense.call.bind(dense);
      dense.call = (...args) => (++calls % 2 === 0 ? mul(call(...args), ones([])) : call(...args));
      return model;
    };
    const {strategy, why} = expectMaskedGradients(build, tinyXs(), tinyYs(), 2);
    expect(strategy).toBe('masked');
    expect(why).toMatch(
      /not pruned, since the ops of the model (are not the same for each batch|changed from one batch to the next)/,
    );
  });

  it('refuses a loss whose rows judge one another', () => {
    const centred: PerSampleLoss = (yTrue, yPred) => tidy(() => sum(square(sub(sub(yPred, mean(yPred, 0)), yTrue)), 1));
    const step = ohemStep(tinyModel(), {loss: centred, select: topK({k: 2}), optimizer: train.sgd(0.1)});
    const before = tinyModel();
    expect(() => step(tinyXs(), tinyYs())).toThrow(
      'ohemStep: loss must judge each row by itself, whatever others are in the batch, got ',
    );
    expect(weightValues(before)).toEqual(weightValues(tinyModel()));
  });

  it('leaves a tape on which the next gradient works, and the weights, when something throws on the way', () => {
    const model = tinyModel();
    let isFailing = false;
    const failing: PerSampleLoss = (yTrue, yPred) => {
      if (isFailing) throw new Error('no loss today');
      return loss(yTrue, yPred);
    };
    const step = ohemStep(model, {loss: failing, select: topK({k: 2}), optimizer: train.adam(0.1), backward: 'pruned'});
    const [xs, ys] = [tinyXs(), tinyYs()];
    step(xs, ys).dispose();
    const [weights, tensors] = [weightValues(model), memory().numTensors];
    isFailing = true;
    expect(() => step(xs, ys)).toThrow('no loss today');
    expect(weightValues(model)).toEqual(weights);
    expect(memory().numTensors).toBe(tensors);
    const derivative = grad((x) => sum(square(x)))(tensor1d([1, 2]));
    expect([...derivative.dataSync()]).toEqual([2, 4]);
    isFailing = false;
    step(xs, ys).dispose();
    expect(step.strategy).toBe('pruned');
  });

  if (backend === 'wasm') {
    it('leaks nothing in 10,000 steps', () => {
      const step = ohemStep(tinyModel(), {
        loss,
        select: randomK({k: 2}),
        optimizer: train.momentum(1e-3, 0.9),
        backward: 'pruned',
      });
      const [xs, ys] = [tinyXs(), tinyYs()];
      step(xs, ys).dispose();
      const before = memory();
      for (let t = 0; t < 10_000; t++) step(xs, ys).dispose();
      const after = memory();
      expect([after.numTensors, after.numDataBuffers, after.numBytes]).toEqual([
        before.numTensors,
        before.numDataBuffers,
        before.numBytes,
      ]);
      expect(step.strategy).toBe('pruned');
    });
  }
});

describeOnBackends('Every strategy, where tfjs does not show its tape,', () => {
  it('works all the same, and says why nothing is pruned', async () => {
    vi.resetModules();
    vi.doMock('../../src/gradients/tape', async (original) => ({
      ...(await original<typeof import('../../src/gradients/tape')>()),
      recordedNodes: () => undefined,
    }));
    const hidden = await import('ohem-tfjs');
    const train1 = (library: {ohemStep: typeof ohemStep}, backward: 'auto' | 'pruned' | 'masked' | 'recompute') => {
      const model = tinyModel();
      const step = library.ohemStep(model, {loss, select: all(), optimizer: train.sgd(0.1), backward});
      const before = memory().numTensors;
      const [xs, ys] = [tinyXs(), tinyYs()];
      for (let t = 0; t < 3; t++) step(xs, ys).dispose();
      expect(memory().numTensors).toBe(before + 2);
      return {
        weights: weightValues(model)
          .flat()
          .map((value) => value.toFixed(5)),
        step,
      };
    };
    for (const backward of ['auto', 'pruned', 'masked', 'recompute'] as const) {
      const {weights, step} = train1(hidden, backward);
      expect(weights).toEqual(train1({ohemStep}, backward).weights);
      expect(step.strategy).not.toBe('pruned');
      if (backward === 'auto' || backward === 'pruned') {
        expect(step.why).toContain(
          'not pruned, since it could not be tried (this version of tfjs does not show its tape)',
        );
      }
    }
    vi.doUnmock('../../src/gradients/tape');
  });
});
