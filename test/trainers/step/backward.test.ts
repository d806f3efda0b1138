import {
  add,
  env,
  type GradConfig,
  getGradient,
  memory,
  mul,
  ones,
  randomNormal,
  randomUniform,
  registerGradient,
  reshape,
  softmax,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
  transpose,
  unregisterGradient,
} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, meanSquaredError, ohemLoss, ohemStep, randomK, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../../support/backends';
import {expectSameDirection} from '../../support/close';
import {MixingLayer} from '../../support/mixingLayers';
import {SPECIMENS} from '../../support/models';
import {repeatably} from '../../support/property';
import {recordingOptimizer} from '../../support/recordingOptimizer';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../../support/tinyModel';

enableWasmTraining();

const loss = categoricalCrossentropy();
const RECURRENT = {units: 4, recurrentInitializer: 'glorotNormal' as const};

type Chain = {apply(x: SymbolicTensor): unknown};
const then = (x: SymbolicTensor, ...chain: Chain[]) =>
  chain.reduce((at, layer) => layer.apply(at) as SymbolicTensor, x);
const from = (shape: number[], body: (x: SymbolicTensor) => SymbolicTensor): LayersModel => {
  const x = input({shape});
  return model({inputs: x, outputs: body(x)});
};

/** Scores of every time step by every other one, over the root of their width. */
function attention(query: SymbolicTensor, values: SymbolicTensor): SymbolicTensor {
  const scores = layers.dot({axes: [2, 2]}).apply([query, values]) as SymbolicTensor;
  const weights = layers.softmax({axis: -1}).apply(scores) as SymbolicTensor;
  return layers.dot({axes: [2, 1]}).apply([weights, values]) as SymbolicTensor;
}

function transformerBlock(x: SymbolicTensor): SymbolicTensor {
  const width = x.shape[2] as number;
  const [query, values] = [then(x, layers.dense({units: width})), then(x, layers.dense({units: width}))];
  const attended = layers.add().apply([x, attention(query, values)]) as SymbolicTensor;
  const normal = then(attended, layers.layerNormalization());
  const wide = then(normal, layers.dense({units: 2 * width, activation: 'relu'}), layers.dense({units: width}));
  return then(layers.add().apply([normal, wide]) as SymbolicTensor, layers.layerNormalization());
}

/** Models of sequences, over which rows do not always lead: `[T, B, D]` inside. */
const SEQUENCES: Record<string, (x: SymbolicTensor) => SymbolicTensor> = {
  'two LSTMs': (x) => then(x, layers.lstm({...RECURRENT, returnSequences: true}), layers.lstm(RECURRENT)),
  'three GRUs': (x) =>
    then(
      x,
      layers.gru({...RECURRENT, returnSequences: true}),
      layers.gru({...RECURRENT, returnSequences: true}),
      layers.gru(RECURRENT),
    ),
  'an LSTM that goes backwards': (x) => then(x, layers.lstm({...RECURRENT, goBackwards: true})),
  'a bidirectional LSTM': (x) =>
    then(x, layers.bidirectional({layer: layers.lstm({...RECURRENT}) as never, mergeMode: 'concat'})),
  'a layer at each time step': (x) =>
    then(x, layers.timeDistributed({layer: layers.dense({units: 4, activation: 'tanh'})}), layers.lstm(RECURRENT)),
  'masked time steps': (x) => then(x, layers.masking({maskValue: 0}), layers.lstm(RECURRENT)),
  'dropout between time steps': (x) => then(x, layers.lstm({...RECURRENT, dropout: 0.2, recurrentDropout: 0.1})),
  'sequence to sequence with attention': (x) => {
    const encoded = then(x, layers.lstm({...RECURRENT, returnSequences: true}));
    const decoded = then(
      x,
      layers.lstm(RECURRENT),
      layers.repeatVector({n: 3}),
      layers.lstm({...RECURRENT, returnSequences: true}),
    );
    return then(attention(decoded, encoded), layers.flatten());
  },
  'two transformer blocks': (x) =>
    then(transformerBlock(transformerBlock(then(x, layers.dense({units: 6})))), layers.globalAveragePooling1d({})),
};

describeOnBackends('The walk back', (backend) => {
  it.each(Object.keys(SEQUENCES))('saves half of the multiplications of %s if half of the rows are kept', (name) => {
    const body = SEQUENCES[name] as (typeof SEQUENCES)[string];
    const built = from([6, 3], (x) => then(body(x), layers.dense({units: 3, activation: 'softmax'})));
    const step = ohemStep(built, {loss, select: topK({k: 6}), optimizer: train.sgd(0.1)});
    step(randomNormal([12, 6, 3], 0, 1, 'float32', 1), softmax(randomNormal([12, 3]))).dispose();
    expect([step.strategy, step.why]).toEqual([
      'pruned',
      '6 of 12 rows run backward, which saves 50 % of the multiplications of the backward pass',
    ]);
  });

  it('is cut for every kind of layer whose rows do not interact', () => {
    for (const {name, build, xs, ys, wrongOn} of SPECIMENS) {
      if (wrongOn?.includes(backend)) continue;
      const step = ohemStep(build(), {loss, select: topK({k: 4}), optimizer: train.sgd(0.1)});
      step(xs(16), ys(16)).dispose();
      expect([name, step.why]).toEqual([
        name,
        '4 of 16 rows run backward, which saves 75 % of the multiplications of the backward pass',
      ]);
    }
  });

  it('says why before the first batch, and if all rows run backward', () => {
    const built = tinyModel();
    const said = (options: object) => {
      const step = ohemStep(built, {loss, optimizer: train.sgd(0.1), ...options});
      const before = [step.strategy, step.why];
      step(tinyXs(), tinyYs()).dispose();
      return [...before, step.strategy, step.why];
    };
    const first = 'the first batch decides';
    expect(said({select: all()})).toEqual(['auto', first, 'masked', 'all 6 rows run backward, because all are kept']);
    expect(said({select: topK({k: 2}), backward: 'masked'})).toEqual([
      ...['masked', 'as requested', 'masked', 'as requested: all 6 rows run backward'],
    ]);
    expect(said({select: topK({k: 2}), backward: 'recompute'})).toEqual([
      ...['recompute', 'as requested', 'recompute'],
      'as requested: 2 of 6 rows run forward a second time, and backward',
    ]);
    const mixing = sequential({
      layers: [
        layers.dense({units: 3, inputShape: [2]}),
        new MixingLayer((x) => transpose(softmax(transpose(x))), 'ones'),
      ],
    });
    const step = ohemStep(mixing, {loss: meanSquaredError(), select: topK({k: 2}), optimizer: train.sgd(0.1)});
    step(tinyXs(), ones([6, 3])).dispose();
    expect([step.strategy, step.why]).toEqual([
      'masked',
      expect.stringMatching(/^all 6 rows run backward, because rows may interact in mixing_layer_\w+ \(Softmax\)$/),
    ]);
  });

  it('names a gradient that other code has replaced, as a second copy of tfjs does', () => {
    const stock = getGradient('Softmax') as GradConfig;
    unregisterGradient('Softmax');
    registerGradient({...stock, gradFunc: (...given) => stock.gradFunc(...given)});
    try {
      const step = ohemStep(tinyModel(), {loss, select: topK({k: 2}), optimizer: train.sgd(0.1)});
      step(tinyXs(), tinyYs()).dispose();
      expect(step.why).toBe(
        'all 6 rows run backward, because a second copy of tfjs, or other code, has replaced the gradient of Softmax',
      );
    } finally {
      unregisterGradient('Softmax');
      registerGradient(stock);
    }
  });

  it('calls each layer once in a step, the first one included', () => {
    const built = from([6, 3], (x) =>
      then(x, layers.lstm(RECURRENT), layers.dense({units: 2}), layers.dropout({rate: 0.5})),
    );
    const calls = built.layers.slice(1).map((layer) => vi.spyOn(layer, 'call'));
    const step = ohemStep(built, {loss: meanSquaredError(), select: topK({k: 2}), optimizer: train.sgd(0.1)});
    const [xs, ys] = [randomNormal([6, 6, 3]), randomNormal([6, 2])];
    for (const count of [1, 2, 3]) {
      step(xs, ys).dispose();
      expect(calls.map((spy) => spy.mock.calls.length)).toEqual([count, count, count]);
    }
  });

  it('leaves the layers as it found them, also if one throws', () => {
    const built = tinyModel();
    const before = built.layers.map((layer) => Object.getOwnPropertyNames(layer).sort());
    const step = ohemStep(built, {loss, select: topK({k: 2}), optimizer: train.sgd(0.1)});
    step(tinyXs(), tinyYs()).dispose();
    expect(built.layers.map((layer) => Object.getOwnPropertyNames(layer).sort())).toEqual(before);
    const failing = sequential({
      layers: [
        layers.dense({units: 2, inputShape: [2]}),
        new MixingLayer((x, {training}) => {
          if (training) throw new Error('no layer today');
          return x;
        }),
      ],
    });
    const names = failing.layers.map((layer) => Object.getOwnPropertyNames(layer).sort());
    const refused = ohemStep(failing, {loss: meanSquaredError(), optimizer: train.sgd(0.1)});
    expect(() => refused(tinyXs(), tinyYs())).toThrow('no layer today');
    expect(failing.layers.map((layer) => Object.getOwnPropertyNames(layer).sort())).toEqual(names);
  });

  describe('where rows mix in the middle', () => {
    const normalised = () =>
      repeatably(() =>
        from([6], (x) =>
          then(
            x,
            layers.dense({name: 'before', units: 6, activation: 'relu'}),
            layers.batchNormalization({name: 'normalisation'}),
            layers.dense({name: 'after', units: 5, activation: 'tanh'}),
            layers.dense({name: 'last', units: 3, activation: 'softmax'}),
          ),
        ),
      );
    const xs = () => randomNormal([12, 6], 0, 1, 'float32', 3);
    const ys = () => tidy(() => softmax(randomNormal([12, 3], 0, 4, 'float32', 4)));

    it('cuts what lies behind, continues with all rows, and says where', () => {
      const gradientsBy = (backward: 'masked' | 'pruned') => {
        const recording = recordingOptimizer();
        const step = ohemStep(normalised(), {loss, select: topK({k: 4}), optimizer: recording.optimizer, backward});
        step(xs(), ys()).dispose();
        return {gradients: recording.gradients, step};
      };
      const [masked, pruned] = [gradientsBy('masked'), gradientsBy('pruned')];
      pruned.gradients.forEach((gradient, i) => {
        expectSameDirection(gradient, masked.gradients[i] as Tensor, 1e-5);
      });
      expect([pruned.step.strategy, pruned.step.why]).toEqual([
        'pruned',
        expect.stringMatching(/; all rows run backward from \w+ in normalisation on$/),
      ]);
    });

    it('moves the statistics of batch normalisation once a step', () => {
      const [ours, theirs] = [normalised(), normalised()];
      const statistics = (built: LayersModel) =>
        weightValues({getWeights: () => built.getLayer('normalisation').getWeights().slice(2)});
      const before = statistics(ours);
      for (const [built, backward] of [
        [ours, 'pruned'],
        [theirs, 'masked'],
      ] as const) {
        ohemStep(built, {loss, select: topK({k: 4}), optimizer: train.sgd(0), backward})(xs(), ys()).dispose();
      }
      expect(statistics(ours)).toEqual(statistics(theirs));
      expect(statistics(ours)).not.toEqual(before);
    });
  });

  it('works for a batch of one row, for one row of many, for all, and for more than there are', () => {
    for (const [rows, picks] of [
      [1, [0]],
      [6, [3]],
      [6, [5, 4, 3, 2, 1, 0]],
      [6, [1, 1, 4]],
      [2, [1, 0, 1, 1]],
    ] as [number, number[]][]) {
      const take = (tensor: Tensor) => tidy(() => tensor2d([...tensor.dataSync()].slice(0, 2 * rows), [rows, 2]));
      const select = () => ({indices: tensor1d(picks, 'int32'), weights: tensor1d(picks.map((_, i) => 1 + i))});
      const [masked, pruned, recompute] = (['masked', 'pruned', 'recompute'] as const).map((backward) => {
        const built = tinyModel();
        ohemStep(built, {loss, select, optimizer: train.sgd(0.5), backward})(take(tinyXs()), take(tinyYs())).dispose();
        return weightValues(built).flat();
      }) as [number[], number[], number[]];
      expectSameDirection(pruned, masked, 1e-5);
      expectSameDirection(recompute, masked, 1e-5);
      expect(masked).not.toEqual(weightValues(tinyModel()).flat());
    }
  });

  it('takes a square weight as wide as the batch for what it is', () => {
    const build = () => repeatably(() => from([6], (x) => then(x, layers.dense({units: 6}), layers.dense({units: 3}))));
    const [masked, pruned] = (['masked', 'pruned'] as const).map((backward) => {
      const recording = recordingOptimizer();
      const options = {loss: meanSquaredError(), select: topK({k: 2}), optimizer: recording.optimizer, backward};
      ohemStep(build(), options)(
        randomUniform([6, 6], 0, 1, 'float32', 1),
        randomUniform([6, 3], 0, 1, 'float32', 2),
      ).dispose();
      return recording.gradients;
    }) as [Tensor[], Tensor[]];
    pruned.forEach((gradient, i) => {
      expectSameDirection(gradient, masked[i] as Tensor, 1e-5);
    });
  });

  it('trains tensors as wide as a picture on wasm, whose pooling writes out of bounds from 16,349 columns on', () => {
    const built = sequential({
      layers: [
        layers.dense({units: 4, activation: 'relu', inputShape: [8]}),
        layers.dense({units: 16384, activation: 'sigmoid'}),
      ],
    });
    const step = ohemStep(built, {loss: meanSquaredError(), select: topK({k: 3}), optimizer: train.adam(0.01)});
    const [xs, ys] = [randomUniform([6, 8]), randomUniform([6, 16384])];
    for (let t = 0; t < 2; t++) step(xs, ys).dispose();
    expect(weightValues(built).flat().every(Number.isFinite)).toBe(true);
  });

  it('works with the flag by which tfjs tests itself for leaks', () => {
    env().set('IS_TEST', true);
    try {
      for (const backward of ['auto', 'masked', 'recompute'] as const) {
        const built = tinyModel();
        const step = ohemStep(built, {loss, select: topK({k: 2}), optimizer: train.sgd(0.1), backward});
        step(tinyXs(), tinyYs()).dispose();
        expect(weightValues(built)).not.toEqual(weightValues(tinyModel()));
      }
    } finally {
      env().set('IS_TEST', false);
    }
  });

  it('leaks nothing in 200 steps', () => {
    const built = from([4, 3], (x) => then(x, layers.lstm(RECURRENT), layers.dense({units: 2, activation: 'softmax'})));
    const step = ohemStep(built, {loss, select: randomK({k: 2}), optimizer: train.momentum(1e-3, 0.9)});
    const [xs, ys] = [randomNormal([6, 4, 3]), softmax(randomNormal([6, 2]))];
    step(xs, ys).dispose();
    const before = memory();
    for (let t = 0; t < 200; t++) step(xs, ys).dispose();
    const {numTensors, numDataBuffers, numBytes} = memory();
    expect([numTensors, numDataBuffers, numBytes]).toEqual([before.numTensors, before.numDataBuffers, before.numBytes]);
    expect(step.strategy).toBe('pruned');
  });
});

/** An engine as another build of tfjs might show it. */
function withoutInternals<T extends object>(engine: T): T {
  return new Proxy(engine, {
    get(target, name) {
      if (['state', 'addTapeNode', 'runKernel', 'runKernelFunc'].includes(String(name))) return undefined;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describeOnBackends('Every strategy, if tfjs hides the internals of its engine,', () => {
  it('works all the same, selectors and ohemLoss too, and says why nothing is pruned', async () => {
    vi.resetModules();
    vi.doMock('@tensorflow/tfjs-core', async (original) => {
      const core = await original<typeof import('@tensorflow/tfjs-core')>();
      return {...core, engine: () => withoutInternals(core.engine())};
    });
    const hidden = await import('ohem-tfjs');
    const normalised = () =>
      repeatably(() =>
        sequential({
          layers: [
            layers.dense({units: 4, activation: 'tanh', inputShape: [2]}),
            layers.batchNormalization(),
            layers.dropout({rate: 0.3, seed: 5}),
            layers.dense({units: 2, activation: 'softmax'}),
          ],
        }),
      );
    const trained = (library: {ohemStep: typeof ohemStep}, backward: 'auto' | 'pruned' | 'masked') => {
      const built = normalised();
      const step = library.ohemStep(built, {loss, select: topK({k: 3}), optimizer: train.sgd(0.1), backward});
      const [xs, ys] = [tinyXs(), tinyYs()];
      step(xs, ys).dispose();
      const before = memory().numTensors;
      for (let t = 0; t < 3; t++) step(xs, ys).dispose();
      expect(memory().numTensors).toBe(before);
      return {weights: weightValues(built).flat(), step};
    };
    for (const backward of ['auto', 'pruned', 'masked'] as const) {
      const {weights, step} = trained(hidden, backward);
      expectSameDirection(weights, trained({ohemStep}, backward).weights, 1e-5);
      expect([step.strategy, step.why]).toEqual([
        'masked',
        'all 6 rows run backward, because this build of tfjs hides its gradient tape',
      ]);
    }
    const refusing = hidden.ohemStep(tinyModel(), {loss, optimizer: train.sgd(0.1), backward: 'recompute'});
    expect(() => refusing(tinyXs(), tinyYs())).toThrow('be known to treat each row independently');
    const mined = async (library: {ohemLoss: typeof ohemLoss}) => {
      const built = tinyModel();
      built.compile({optimizer: train.sgd(0.5), loss: library.ohemLoss(loss, topK({k: 2}))});
      await built.trainOnBatch(tinyXs(), tinyYs());
      return weightValues(built).flat();
    };
    expectSameDirection(await mined(hidden), await mined({ohemLoss}), 1e-6);
    vi.doUnmock('@tensorflow/tfjs-core');
  });

  it('is not asked to find out: a later batch may have other ops', () => {
    let calls = 0;
    const built = sequential({
      layers: [
        layers.dense({units: 3, inputShape: [2]}),
        new MixingLayer((x) => (calls++ % 2 === 0 ? mul(x, 1) : reshape(add(mul(x, 1), 0), x.shape))),
        layers.dense({units: 2, activation: 'softmax'}),
      ],
    });
    const step = ohemStep(built, {loss, select: topK({k: 3}), optimizer: train.sgd(0.1)});
    for (let t = 0; t < 4; t++) {
      step(tinyXs(), tinyYs()).dispose();
      expect(step.strategy).toBe('pruned');
    }
  });
});
