/**
 * @file Models and losses whose rows look at one another: never another gradient than that of the
 *   whole batch.
 */

import {
  abs,
  add,
  cast,
  diag,
  exp,
  eye,
  log,
  logSoftmax,
  matMul,
  max,
  mean,
  min,
  mul,
  neg,
  Optimizer,
  ones,
  randomNormal,
  relu,
  type Scalar,
  sign,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
  train,
  transpose,
  type Variable,
  variableGrads,
  zeros,
} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, meanSquaredError, ohemLoss, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectSameDirection, norm} from '../support/close';
import {MIXING, MixingLayer} from '../support/mixingLayers';
import {repeatably} from '../support/property';
import {inProduction} from '../support/tensors';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

enableWasmTraining();

const ROWS = 12;
const WAYS = ['auto', 'pruned', 'masked', 'recompute'] as const;
const loss = meanSquaredError();
let seed = 0;
const random = (shape: number[]) => randomNormal(shape, 0, 1, 'float32', ++seed);

/** Trains by plain gradient descent, and remembers the gradients that it was given. */
class Recorder extends Optimizer {
  static className = 'Recorder';
  gradients: Record<string, number[]> = {};
  override applyGradients(given: Parameters<Optimizer['applyGradients']>[0]): void {
    const entries = Array.isArray(given)
      ? given.map(({name, tensor}) => [name, tensor] as const)
      : Object.entries(given);
    this.gradients = Object.fromEntries(entries.map(([name, tensor]) => [name, tensor ? [...tensor.dataSync()] : []]));
  }
  getConfig() {
    return {};
  }
}

const trainable = (built: LayersModel) => built.trainableWeights.map((weight) => weight.read() as Variable);

/** The gradients of the mean loss of some rows of a batch, all of which run, by tfjs alone. */
function byTfjs(built: LayersModel, xs: Tensor, ys: Tensor, rows: number[], of: PerSampleLoss) {
  return tidy(() => {
    const share = new Float32Array(ys.shape[0] as number);
    for (const row of rows) share[row] = (share[row] as number) + 1 / rows.length;
    const {grads} = variableGrads(() => {
      const losses = of(ys, built.apply(xs, {training: true}) as Tensor);
      return built
        .calculateLosses()
        .reduce<Scalar>((total, penalty) => add(total, penalty), sum<Scalar>(mul(losses, tensor1d(share))));
    }, trainable(built));
    return Object.fromEntries(Object.entries(grads).map(([name, tensor]) => [name, [...tensor.dataSync()]]));
  });
}

function expectGradients(got: Record<string, number[]>, want: Record<string, number[]>): void {
  // Besides, float32 rounds the small sum of large terms as it rounds the terms.
  const rounding = 1e-6 * norm(Object.values(want).flat()) + 1e-8;
  for (const [name, values] of Object.entries(want)) {
    expectSameDirection(got[name] ?? [], values, 1e-5, rounding);
  }
}

/** Moves all weights, as training would. */
function move(built: LayersModel): void {
  tidy(() => {
    for (const variable of trainable(built)) variable.assign(add(variable, mul(random(variable.shape), 0.3)));
  });
}

function withMixing(name: string): {built: LayersModel; mixing: MixingLayer} {
  return repeatably(() => {
    const x = input({shape: [5]});
    const first = layers.dense({units: 6, activation: 'tanh'}).apply(x) as SymbolicTensor;
    const mixing = new MixingLayer(MIXING[name] as (typeof MIXING)[string]);
    const mixed = mixing.apply(first) as SymbolicTensor;
    const last = layers.dense({units: 4, activation: 'relu'}).apply(mixed) as SymbolicTensor;
    return {built: model({inputs: x, outputs: layers.dense({units: 2}).apply(last) as SymbolicTensor}), mixing};
  });
}

/** What the first batch may hold that would hide how rows interact. */
const FIRST_BATCHES: Record<string, () => Tensor> = {
  'rows that differ': () => random([ROWS, 5]),
  'rows that are alike': () => ones([ROWS, 5]),
  zeros: () => zeros([ROWS, 5]),
  'large numbers': () => mul(random([ROWS, 5]), 100),
};

describeOnBackends('ohemStep', () => {
  describe.each(Object.keys(MIXING))('with a layer of %s', (name) => {
    it('gives the gradients of tfjs in every way that it takes, from the first step on', () => {
      for (const backward of WAYS) {
        const {built, mixing} = withMixing(name);
        const recorder = new Recorder();
        const step = ohemStep(built, {loss, select: topK({k: 4}), optimizer: recorder, backward});
        if (backward === 'recompute') {
          expect(() => step(random([ROWS, 5]), random([ROWS, 2]))).toThrow('which is not one of tfjs-layers');
          continue;
        }
        for (const first of Object.values(FIRST_BATCHES)) {
          const batches = [first(), random([ROWS, 5]), random([ROWS, 5])];
          for (const xs of batches) {
            const ys = random([ROWS, 2]);
            const report = step(xs, ys);
            const rows = [...report.selection.indices.dataSync()];
            mixing.calls--;
            expectGradients(recorder.gradients, byTfjs(built, xs, ys, rows, loss));
            report.dispose();
            move(built);
          }
        }
      }
    });
  });

  it('is right after a first batch of one row, and after batches of another size', () => {
    for (const name of [
      'mixes with its reverse in training only',
      'attention over the batch',
      'the batch rolled by one',
    ]) {
      const {built, mixing} = withMixing(name);
      const recorder = new Recorder();
      const step = ohemStep(built, {loss, select: topK({ratio: 0.5}), optimizer: recorder});
      for (const rows of [1, 12, 8, 12]) {
        if (rows === 1 && name === 'the batch rolled by one') continue;
        const [xs, ys] = [random([rows, 5]), random([rows, 2])];
        const kept = [...step(xs, ys).selection.indices.dataSync()];
        mixing.calls--;
        expectGradients(recorder.gradients, byTfjs(built, xs, ys, kept, loss));
      }
    }
  });

  it('trains through a hundred steps as masked does, where a gate of 0 opens', () => {
    const trained = (backward: 'auto' | 'masked') => {
      const {built} = withMixing('a mixing branch behind a gate of 0');
      const step = ohemStep(built, {loss, select: topK({k: 4}), optimizer: train.sgd(0.05), backward});
      seed = 100;
      const [xs, ys] = [random([ROWS, 5]), random([ROWS, 2])];
      for (let t = 0; t < 100; t++) step(xs, ys).dispose();
      return weightValues(built).flat();
    };
    expectSameDirection(trained('auto'), trained('masked'), 1e-4);
  });

  it('stays with the kept rows behind the layer that mixes, and names the op from which all rows run', () => {
    const {built} = withMixing('mixes with its reverse in training only');
    const step = ohemStep(built, {loss, select: topK({k: 6}), optimizer: train.sgd(0.1)});
    step(random([ROWS, 5]), random([ROWS, 2])).dispose();
    expect([step.strategy, step.why]).toEqual([
      'pruned',
      expect.stringMatching(
        /^6 of 12 rows run backward, which saves \d+ % of the multiplications of the backward pass; all rows run backward from Reverse in mixing_layer_\w+ on$/,
      ),
    ]);
  });
});

/** The distances between all rows, √0 being flat. */
const distances = (e: Tensor): Tensor => {
  const lengths = sum(square(e), 1, true);
  const squares = relu(add(sub(lengths, mul(2, matMul(e as never, e as never, false, true))), transpose(lengths)));
  return sqrt(add(squares, 1e-6));
};
const sameClass = (yTrue: Tensor): Tensor => cast(matMul(yTrue as never, yTrue as never, false, true), 'float32');

/** Losses that compare rows: of one-hot classes and predictions `[B, C]`. */
const INTERACTING: Record<string, PerSampleLoss> = {
  'batch-hard triplets': (yTrue, yPred) => {
    const [apart, same] = [distances(yPred), sameClass(yTrue)];
    return relu(add(sub(max(mul(apart, same), 1), min(add(apart, mul(same, 1e3)), 1)), 0.5));
  },
  InfoNCE: (yTrue, yPred) => {
    const scores = logSoftmax(
      sub(matMul(yPred as never, yPred as never, false, true), mul(eye(yPred.shape[0] as number), 1e3)),
    );
    return neg(mean(mul(scores, sameClass(yTrue)), 1));
  },
  'errors less their mean': (yTrue, yPred) => sum(square(sub(sub(yPred, mean(yPred, 0)), yTrue)), 1),
  'a loss over the mean loss': (yTrue, yPred) => {
    const losses = sum(square(sub(yTrue, yPred)), 1);
    return mul(losses, add(1, mean(losses)));
  },
  'pairwise ranking': (yTrue, yPred) => {
    const score = sum(yPred, 1, true);
    const truth = sum(mul(yTrue, tensor1d([0, 1])), 1, true);
    return mean(log(add(1, exp(neg(mul(sign(sub(truth, transpose(truth))), sub(score, transpose(score))))))), 1);
  },
  'distances from the batch next door': (yTrue, yPred) =>
    add(sum(square(sub(yTrue, yPred)), 1), sum(abs(matMul(softmax(yPred) as never, yPred as never, true)), [0, 1])),
  'crossentropy by the diagonal': (_, yPred) =>
    neg(
      sum(
        mul(logSoftmax(matMul(yPred as never, yPred as never, false, true)), diag(ones([yPred.shape[0] as number]))),
        1,
      ),
    ),
};

describeOnBackends('A loss that compares rows', () => {
  const build = () =>
    repeatably(() =>
      sequential({
        layers: [
          layers.dense({units: 6, activation: 'tanh', inputShape: [5]}),
          layers.dense({units: 2, activation: 'sigmoid'}),
        ],
      }),
    );
  const classes = () => tidy(() => softmax(mul(random([ROWS, 2]), 50)));

  it.each(Object.keys(INTERACTING))(
    '%s: the gradient of Σ w·l of the whole batch, by ohemStep and ohemLoss',
    (name) => {
      const of = INTERACTING[name] as PerSampleLoss;
      for (const isProduction of [false, true]) {
        for (const backward of ['auto', 'pruned', 'masked'] as const) {
          const [built, recorder] = [build(), new Recorder()];
          const step = ohemStep(built, {loss: of, select: topK({k: 4}), optimizer: recorder, backward});
          for (const xs of [ones([ROWS, 5]), random([ROWS, 5]), random([ROWS, 5])]) {
            const ys = classes();
            const report = isProduction ? inProduction(() => step(xs, ys)) : step(xs, ys);
            const rows = [...report.selection.indices.dataSync()];
            expectGradients(recorder.gradients, byTfjs(built, xs, ys, rows, of));
          }
        }
        const [built, xs, ys] = [build(), random([ROWS, 5]), classes()];
        const mined = ohemLoss(of, topK({k: 4}));
        const {grads} = variableGrads(() => mean(mined(ys, built.apply(xs) as Tensor)), trainable(built));
        const losses = [...(of(ys, built.apply(xs) as Tensor) as Tensor1D).dataSync()];
        const rows = [...losses.keys()]
          .sort((a, b) => (losses[b] as number) - (losses[a] as number) || a - b)
          .slice(0, 4);
        const values = Object.fromEntries(Object.entries(grads).map(([key, tensor]) => [key, [...tensor.dataSync()]]));
        expectGradients(values, byTfjs(built, xs, ys, rows, of));
      }
    },
  );

  it('is refused by recompute, before any weight changes', () => {
    const built = build();
    const before = weightValues(built);
    const of = INTERACTING['batch-hard triplets'] as PerSampleLoss;
    const step = ohemStep(built, {loss: of, select: topK({k: 4}), optimizer: train.sgd(0.1), backward: 'recompute'});
    expect(() => step(random([ROWS, 5]), classes())).toThrow(
      "ohemStep: loss must be known to treat each row independently for backward: 'recompute', got one that gives the kept rows other losses alone.",
    );
    expect(weightValues(built)).toEqual(before);
  });
});

describeOnBackends('ohemStep', () => {
  it('trains a recurrent layer that keeps its state, which moves once a step', async () => {
    const build = () => {
      const layer = layers.simpleRNN({
        units: 3,
        stateful: true,
        batchInputShape: [8, 2, 3],
        kernelInitializer: 'ones',
        recurrentInitializer: 'identity',
      });
      return sequential({layers: [layer, layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'ones'})]});
    };
    const [xs, ys] = [randomNormal([8, 2, 3], 0, 1, 'float32', 5), softmax(randomNormal([8, 2], 0, 3, 'float32', 6))];
    const [ours, theirs] = [build(), build()];
    const step = ohemStep(ours, {loss: categoricalCrossentropy(), select: all(), optimizer: train.sgd(0.1)});
    theirs.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy'});
    for (let i = 0; i < 3; i++) {
      step(xs, ys).dispose();
      await theirs.trainOnBatch(xs, ys);
    }
    weightValues(ours).forEach((values, i) => {
      expectSameDirection(tensor1d(values), tensor1d(weightValues(theirs)[i] as number[]), 1e-4);
    });
    const refusing = ohemStep(build(), {
      loss: categoricalCrossentropy(),
      select: topK({k: 2}),
      optimizer: train.sgd(0.1),
      backward: 'recompute',
    });
    expect(() => refusing(xs, ys)).toThrow(/got the layer simple_rnn_SimpleRNN\d+, which keeps a state\./);
  });

  it.each(['masked', 'pruned', 'recompute'] as const)(
    'changes nothing by %s if losses are finite and gradients are not, and gives the optimizer none of them',
    (backward) => {
      // √0 has no finite gradient: the first rows are right already.
      const distance: PerSampleLoss = (yTrue, yPred) => sqrt(sum(square(sub(yPred, yTrue)), 1));
      const built = tinyModel();
      const before = weightValues(built);
      const ys = built.predict(tinyXs()) as Tensor;
      const recorder = new Recorder();
      const step = ohemStep(built, {loss: distance, select: topK({k: 4}), optimizer: recorder, backward});
      const report = step(tinyXs(), ys);
      expect([...report.selection.weights.dataSync()]).toEqual([0, 0, 0, 0]);
      expect(weightValues(built)).toEqual(before);
      expect(Object.values(recorder.gradients).flat().every(Number.isFinite)).toBe(true);
      const mended = ohemStep(built, {loss: meanSquaredError(), select: all(), optimizer: train.sgd(0.1), backward});
      mended(tinyXs(), tinyYs()).dispose();
      expect(weightValues(built).flat().every(Number.isFinite)).toBe(true);
      expect(weightValues(built)).not.toEqual(before);
    },
  );

  it('refuses names that it does not have beside a batch', () => {
    const step = ohemStep(tinyModel(), {loss: meanSquaredError(), optimizer: train.sgd(0.1)});
    expect(() => step(tinyXs(), tinyYs(), {sampleWeights: tensor1d([1])} as never)).toThrow(
      new TypeError("ohemStep: options must have known names, got sampleWeights. Did you mean 'sampleWeight'?"),
    );
  });

  it('does not train the other way on a negative weight in production', () => {
    inProduction(() => {
      const [one, other] = [tinyModel(), tinyModel()];
      for (const [built, weight] of [
        [one, -3],
        [other, 0],
      ] as const) {
        const step = ohemStep(built, {loss: meanSquaredError(), select: all(), optimizer: train.sgd(0.1)});
        step(tinyXs(), tinyYs(), {sampleWeight: tensor1d([1, 1, weight, 1, 1, 1])}).dispose();
      }
      expect(weightValues(one)).toEqual(weightValues(other));
      expect(weightValues(one).flat().every(Number.isFinite)).toBe(true);
    });
  });
});
