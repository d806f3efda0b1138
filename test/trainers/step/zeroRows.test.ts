/**
 * @file Steps over losses that compare rows: those that no pair with a slope touches are left out
 *   of the model.
 */
import {
  add,
  cast,
  copyRegisteredKernels,
  dispose,
  div,
  findBackendFactory,
  type KernelBackend,
  matMul,
  maximum,
  memory,
  mul,
  type NamedTensorMap,
  oneHot,
  randomNormal,
  registerBackend,
  reshape,
  setBackend,
  square,
  sub,
  sum,
  Tensor,
  type Tensor1D,
  tanh,
  tensor,
  tensor1d,
  train,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {
  all,
  categoricalCrossentropy,
  jointLoss,
  type OhemStepOptions,
  ohemStep,
  type PerSampleLoss,
  type TrainableModel,
  topK,
} from 'ohem-tfjs';
import {contrastiveLoss, pairMargin, semiHard, tripletLoss, tripletMargin} from 'ohem-tfjs/pairs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../../support/backends';
import {expectSameDirection} from '../../support/close';
import {randomFrom, repeatably} from '../../support/property';
import {REPLAYED, twins} from '../../support/twins';
import {trainsOn} from '../../support/wasmTraining';

const ROWS = 24;

/** Violates its margin for few triplets only. */
const hard = () => tripletLoss({mine: tripletMargin({type: 'hard'}), margin: 0.01});

/** Compares the rows whose target is 1 with their mean: the others have no gradient. */
const ofMarked: PerSampleLoss = (marks, predictions) => {
  const counts = reshape(marks, [ROWS, 1]);
  const center = div(sum(mul(predictions, counts), 0, true), maximum(sum(counts), 1));
  return sum(mul(square(sub(predictions, center)), counts), 1);
};

/** Points about the corners of a cube, by class, of which some stray. */
function rowsOf(seed: number, shape: number[], strays = 2) {
  const random = randomFrom(seed + 1);
  const labels = Array.from({length: ROWS}, (_, row) => row % 8);
  const size = shape.reduce((product, of) => product * of, 1);
  const values = labels.flatMap((label, row) =>
    Array.from({length: size}, (_, i) => {
      const corner = row < strays ? (label + 1 + row) % 8 : label;
      return ((corner >> (i % 3)) & 1) * 2 - 1 + 0.05 * (random() - 0.5);
    }),
  );
  return {xs: new Float32Array(values), labels: Int32Array.from(labels)};
}

interface Kind {
  shape: number[];
  build: () => LayersModel;
}

const of = (shape: number[], ...made: (() => object)[]): (() => LayersModel) => {
  return () =>
    repeatably(() => {
      const x = input({shape});
      type Chained = {apply(at: SymbolicTensor): SymbolicTensor};
      return modelOf({
        inputs: x,
        outputs: made.reduce((at, make) => (make() as Chained).apply(at), x as SymbolicTensor),
      });
    });
};
const dense = (units: number, activation?: 'tanh') => () => layers.dense({units, ...(activation && {activation})});

const KINDS: Record<string, Kind> = {
  'dense layers': {shape: [6], build: of([6], dense(9, 'tanh'), dense(3))},
  dropout: {shape: [6], build: of([6], dense(24), () => layers.dropout({rate: 0.1, seed: 3}), dense(3))},
  'batch normalisation': {
    shape: [6],
    build: of([6], dense(9), () => layers.batchNormalization(), dense(3)),
  },
  'an LSTM': {
    shape: [4, 3],
    build: of([4, 3], () => layers.lstm({units: 6, recurrentInitializer: 'glorotNormal'}), dense(3)),
  },
  convolutions: {
    shape: [3, 3, 3],
    build: of(
      [3, 3, 3],
      () => layers.conv2d({filters: 4, kernelSize: 2}),
      () => layers.flatten(),
      dense(3),
    ),
  },
  'a penalty of its weights': {
    shape: [6],
    build: of([6], () => layers.dense({units: 9, kernelRegularizer: 'l1l2'}), dense(3)),
  },
};

const valuesOf = (gradients: NamedTensorMap) => Object.values(gradients).flatMap((value) => [...value.dataSync()]);

/** The gradients of some batches by a strategy, which train nothing. */
function gradientsBy(model: TrainableModel, options: OhemStepOptions, batches: {xs: Tensor; ys: Tensor | Tensor[]}[]) {
  const step = ohemStep(model, {optimizer: train.sgd(0.1), ...options});
  const found = batches.map(({xs, ys}, t) => {
    // Dropout of a replayed step draws where one on a tape does.
    vi.spyOn(Math, 'random').mockImplementation(randomFrom(t));
    const {gradients, report} = step.gradients(xs, ys);
    const one = {values: valuesOf(gradients), why: step.why, strategy: step.strategy, saved: report.saved};
    report.dispose();
    dispose(gradients);
    return one;
  });
  step.dispose();
  return found;
}

const batchesOf = (shape: number[], strays: number[]) =>
  strays.map((count, t) => {
    const {xs, labels} = rowsOf(t, shape, count);
    return {xs: tensor(xs, [ROWS, ...shape]) as Tensor, ys: tensor1d(labels, 'int32') as Tensor};
  });

/** The same rows, of which as many are marked as stray. */
const markedOf = (shape: number[], strays: number[]) =>
  batchesOf(shape, strays).map(({xs}, t) => ({
    xs,
    ys: tensor1d(Array.from({length: ROWS}, (_, row) => ((row * 5) % ROWS < (strays[t] as number) ? 1 : 0))) as Tensor,
  }));

afterEach(() => {
  vi.restoreAllMocks();
});

describeOnBackends('A step over a loss of pairs', (backend) => {
  trainsOn(backend);

  describe.each(Object.entries(KINDS))('with %s', (_, {shape, build}) => {
    it.each(['auto', 'pruned'] as const)('by %s has the gradient of masked, batch by batch', (backward) => {
      const strays = [2, 1, 0, 5, 2, 24, 2, 2];
      for (const [loss, batches] of [
        [hard(), batchesOf(shape, strays)],
        [ofMarked, markedOf(shape, strays)],
      ] as const) {
        for (const select of backward === 'auto' ? [all(), topK({k: 7})] : [all()]) {
          const [one, other] = twins(build);
          const whole = gradientsBy(other, {loss, select, backward: 'masked'}, batches);
          const shorter = gradientsBy(one, {loss, select, backward}, batches);
          for (const [t, {values}] of shorter.entries()) {
            expectSameDirection(values, whole[t]?.values as number[], 1e-5, 1e-7);
          }
          expect(whole.every(({saved}) => saved === 0)).toBe(true);
          const pruned = shorter.filter(({strategy, saved}) => strategy === 'pruned' && saved > 0.1);
          if (loss === ofMarked) expect(pruned.length).toBe(7);
        }
      }
    });
  });

  it('says how many rows ran backward, and what that saved', () => {
    const {shape, build} = KINDS['dense layers'] as Kind;
    const [few] = gradientsBy(build(), {loss: hard(), select: all()}, batchesOf(shape, [1]));
    const rows = Number(few?.why.split(' ')[0]);
    expect(rows % 3).toBe(0);
    expect(rows).toBeLessThan(ROWS);
    const percent = Math.round(100 * (1 - rows / ROWS));
    const others = 'the loss has no gradient with respect to the other outputs';
    expect(few?.why).toBe(
      `${rows} of 24 rows run backward (${others}), which saves ${percent} % of the multiplications of the backward pass`,
    );
    expect(few?.saved).toBeCloseTo(1 - rows / ROWS, 6);
    const soft = tripletLoss({soft: true});
    const [each] = gradientsBy(build(), {loss: soft, select: all()}, batchesOf(shape, [1]));
    expect([each?.why, each?.saved]).toEqual(['all 24 rows run backward, because all are kept', 0]);
  });

  it('says from where on all rows run backward, if the model mixes them', () => {
    const {shape, build} = KINDS['batch normalisation'] as Kind;
    const [few] = gradientsBy(build(), {loss: hard(), select: all()}, batchesOf(shape, [1]));
    expect(few?.why).toMatch(/^\d+ of 24 rows run backward \(.*\), which saves \d+ % .*; all rows run backward from /);
    expect(few?.saved).toBeGreaterThan(0);
    expect(few?.saved).toBeLessThan(0.5);
  });

  it('is replayed with each number of rows, of which there are few', () => {
    const {shape, build} = KINDS['dense layers'] as Kind;
    const strays = Array.from({length: 30}, (_, t) => [1, 2, 3, 5][t % 4] as number);
    const found = gradientsBy(build(), {loss: hard(), select: all()}, batchesOf(shape, strays));
    expect(new Set(found.map(({why}) => why.split(' ')[0])).size).toBeGreaterThan(1);
    expect(found.slice(16).every(({why}) => why.endsWith(REPLAYED))).toBe(true);
  });

  it('leaves nothing behind', () => {
    const {shape, build} = KINDS['dense layers'] as Kind;
    const batches = batchesOf(shape, [1, 1, 3, 1, 3, 1, 3, 0]);
    const [model, optimizer] = [build(), train.sgd(0.1)];
    const before = memory();
    const step = ohemStep(model, {loss: hard(), select: all(), optimizer});
    for (const {xs, ys} of batches) step(xs, ys).dispose();
    step.dispose();
    const {numTensors, numDataBuffers} = memory();
    expect([numTensors, numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  });

  it('adds them to those of another output, whose kept rows are others', () => {
    const build = () =>
      repeatably(() => {
        const x = input({shape: [6]});
        const trunk = layers.dense({units: 9, activation: 'tanh'}).apply(x) as SymbolicTensor;
        const head = (units: number, activation: 'linear' | 'softmax') =>
          layers.dense({units, activation}).apply(trunk) as SymbolicTensor;
        return modelOf({inputs: x, outputs: [head(3, 'linear'), head(4, 'softmax')]});
      });
    const classes = tensor1d(
      Array.from({length: ROWS}, (_, row) => row % 4),
      'int32',
    );
    const batches = batchesOf([6], [1, 2, 1, 2, 1, 2]).map(({xs, ys}) => ({
      xs,
      ys: [ys, cast(oneHot(classes, 4), 'float32')],
    }));
    const options = {loss: [hard(), categoricalCrossentropy()], select: topK({k: 4})};
    const [one, other] = twins(build);
    const shorter = gradientsBy(one, options, batches);
    const whole = gradientsBy(other, {...options, backward: 'masked'}, batches);
    for (const [t, {values, strategy}] of shorter.entries()) {
      expectSameDirection(values, whole[t]?.values as number[], 1e-5, 1e-7);
      expect(strategy).toBe('pruned');
    }
    expect(shorter.some(({why}) => why.includes('(the loss has no gradient with respect to the other outputs)'))).toBe(
      true,
    );
  });

  it('goes by both outputs of a joint loss, of a function too', () => {
    const [first, second]: Variable[] = [1, 2].map((seed) =>
      variable(randomNormal([6, 4], 0, 0.5, 'float32', seed), true, `tower${backend}${seed}`),
    ) as [Variable, Variable];
    const towers: TrainableModel = {
      predict: (x) => [first, second].map((weight) => tanh(matMul(x as never, weight as never))),
      variables: [first, second] as Variable[],
    };
    const loss = jointLoss(([marks], [queries, documents]) =>
      mul<Tensor1D>(sum(square(sub(queries as Tensor, documents as Tensor)), 1), marks as Tensor1D),
    );
    const batches = markedOf([6], [2, 2, 2]).map(({xs, ys}) => ({xs, ys: [ys]}));
    const shorter = gradientsBy(towers, {loss, select: all()}, batches);
    const whole = gradientsBy(towers, {loss, select: all(), backward: 'masked'}, batches);
    for (const [t, {values}] of shorter.entries())
      expectSameDirection(values, whole[t]?.values as number[], 1e-5, 1e-7);
    expect(shorter.every(({strategy}) => strategy === 'pruned')).toBe(true);
  });

  it('takes a loss that reads what the model computed in between', () => {
    const build = () => {
      const hidden = layers.dense({units: 5, activation: 'tanh'});
      let seen: Tensor | undefined;
      const call = hidden.call.bind(hidden);
      hidden.call = (inputs, kwargs) => {
        seen = call(inputs, kwargs) as Tensor;
        return seen;
      };
      const model = repeatably(() => sequential({layers: [layers.inputLayer({inputShape: [6]}), hidden, dense(3)()]}));
      const pairs = hard();
      // Of the activations, every row has a gradient.
      const loss = (y: Tensor, p: Tensor) => add(mul(sum(square(seen as Tensor), 1), 0.01), pairs(y, p));
      return {model, loss};
    };
    const batches = batchesOf([6], [1, 2, 1]);
    const [one, other] = [build(), build()];
    other.model.setWeights(one.model.getWeights());
    const shorter = gradientsBy(one.model, {loss: one.loss, select: all()}, batches);
    const whole = gradientsBy(other.model, {loss: other.loss, select: all(), backward: 'masked'}, batches);
    for (const [t, {values}] of shorter.entries())
      expectSameDirection(values, whole[t]?.values as number[], 1e-5, 1e-7);
  });

  it('says nothing of products of the loss, which has all rows', () => {
    const {shape, build} = KINDS['dense layers'] as Kind;
    const loss: PerSampleLoss = (marks, predictions) => {
      const marked = mul(predictions, reshape(marks, [ROWS, 1]));
      return sum(square(matMul(marked as never, marked as never, false, true)), 1);
    };
    const batches = markedOf(shape, [2, 2]);
    const [few] = gradientsBy(build(), {loss, select: all()}, batches);
    expect(few?.why).toMatch(/^3 of 24 rows run backward \(.*\), which saves \d+ % of the [a-z ]+ pass$/);
    const [kept] = gradientsBy(build(), {loss, select: topK({k: 9})}, batches);
    expect(kept?.why).toMatch(/^3 of 24 rows run backward \(.*\), which saves \d+ % of the [a-z ]+ pass$/);
  });

  it('is not looked at if its loss goes row by row', () => {
    const {shape, build} = KINDS['dense layers'] as Kind;
    const loss = Object.assign((marks: Tensor, p: Tensor) => mul(sum(square(p), 1), marks), {rowwise: true as const});
    const [all24] = gradientsBy(build(), {loss, select: all()}, markedOf(shape, [2]));
    expect(all24?.why).toBe('all 24 rows run backward, because all are kept');
  });

  it('is left with few rows by a loss of few pairs', () => {
    const {shape, build} = KINDS['dense layers'] as Kind;
    const contrastive = contrastiveLoss({mine: pairMargin({positive: 0.5, negative: 0.02}), positiveMargin: 0.5});
    const [few] = gradientsBy(build(), {loss: contrastive, select: all()}, batchesOf(shape, [1]));
    expect(few?.strategy).toBe('pruned');
    const semi = tripletLoss({mine: semiHard(), margin: 0.01});
    const [mined] = gradientsBy(build(), {loss: semi, select: all()}, batchesOf(shape, [1]));
    expect(mined?.strategy).toBe('pruned');
  });
});

describe('A step over a loss of pairs on a device', () => {
  it('reads nothing, and runs all rows', async () => {
    copyRegisteredKernels('cpu', 'webgpu');
    registerBackend('webgpu', findBackendFactory('cpu') as () => KernelBackend);
    await setBackend('webgpu');
    const {shape, build} = KINDS['dense layers'] as Kind;
    const step = ohemStep(build(), {loss: hard(), select: all(), optimizer: train.sgd(0.1)});
    const [{xs, ys}] = batchesOf(shape, [1]) as [{xs: Tensor; ys: Tensor}];
    const reads = (['dataSync', 'data'] as const).map((read) => vi.spyOn(Tensor.prototype, read));
    step(xs, ys).dispose();
    expect(reads.reduce((count, {mock}) => count + mock.calls.length, 0)).toBe(0);
    expect(step.why).toBe('all 24 rows run backward, because all are kept');
    step.dispose();
    await setBackend('cpu');
  });
});
