/**
 * @file What changes between steps without a field of a layer saying so: each found to train a
 *   replayed step wrong.
 */
import {
  add,
  backend,
  matMul,
  mean,
  memory,
  mul,
  randomNormal,
  setBackend,
  square,
  sub,
  sum,
  type Tensor,
  tensor1d,
  tidy,
  train,
  transpose,
} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as modelOf,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {type OhemStep, type OhemStepOptions, ohemStep, type PerSampleLoss, type Selector, topK} from 'ohem-tfjs';
import {categoricalCrossentropy, meanSquaredError} from 'ohem-tfjs/losses';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {type BackendName, describeOnBackends} from '../support/backends';
import {bitsOf, REPLAYED, twins} from '../support/twins';
import {trainsOn} from '../support/wasmTraining';

type Layer = LayersModel['layers'][number];

const dense = (units: number, activation?: 'tanh' | 'softmax') =>
  layers.dense({units, kernelInitializer: 'glorotNormal', ...(activation && {activation})});

type Batch = {xs: Tensor | Tensor[]; ys: Tensor | Tensor[]; options?: Parameters<OhemStep>[2]};

/**
 * Takes steps with twins, whose batches and changes depend on the step; returns in which ones the
 * first was replayed.
 */
function trainTwins(
  build: () => LayersModel,
  steps: number,
  batch: (t: number) => Batch,
  {options = {}, change}: {options?: OhemStepOptions; change?: (model: LayersModel, t: number) => void} = {},
): number[] {
  const models = twins(build);
  const takes = models.map((model) =>
    ohemStep(model, {
      select: topK({ratio: 0.5}),
      loss: model.outputs.map(() => meanSquaredError()),
      ...options,
      optimizer: train.sgd(0.1),
    }),
  );
  const replayed: number[] = [];
  for (let t = 0; t < steps; t++) {
    const {xs, ys, options: given} = batch(t);
    const losses = takes.map((take, i) => {
      change?.(models[i] as LayersModel, t);
      const report = take(xs, ys, given);
      const values = [...report.losses.dataSync()];
      report.dispose();
      return values;
    });
    if (takes[0]?.why.endsWith(REPLAYED)) replayed.push(t);
    expect(losses[0]).toEqual(losses[1]);
    expect(bitsOf(models[0])).toEqual(bitsOf(models[1]));
  }
  for (const take of takes) take.dispose();
  return replayed;
}

const chain = (...middle: Layer[]): LayersModel =>
  sequential({layers: [layers.inputLayer({inputShape: [3]}), ...middle, dense(2)]});

function pair(outputs = 1): LayersModel {
  const [a, b] = [input({shape: [3]}), input({shape: [3]})];
  const sums = [dense(2), dense(2)].map((layer, i) => layer.apply(i === 0 ? a : b) as SymbolicTensor);
  return modelOf({inputs: [a, b], outputs: outputs === 1 ? (layers.add().apply(sums) as SymbolicTensor) : sums});
}

describeOnBackends('A recorded step', (name) => {
  trainsOn(name);
  afterEach(() => void vi.restoreAllMocks());
  const data = (seed: number, ...shape: number[]): Tensor => randomNormal(shape, 0, 1, 'float32', seed);

  describe('that is given the same data twice', () => {
    it.each([2, 3, 4, 5, 6])('as two inputs in step %i', (at) => {
      const batch = (t: number) => {
        const x = data(t + 1, 6, 3);
        return {xs: t === at ? [x, x] : [x, data(t + 50, 6, 3)], ys: data(t + 90, 6, 2)};
      };
      expect(trainTwins(() => pair(), 10, batch).length).toBeGreaterThan(0);
    });

    it.each([3, 4, 5, 6])('as two targets, or two weights of rows, in step %i', (at) => {
      const targets = (t: number) => {
        const y = data(t + 1, 6, 2);
        return {xs: [data(t, 6, 3), data(t + 9, 6, 3)], ys: t === at ? [y, y] : [y, data(t + 50, 6, 2)]};
      };
      trainTwins(() => pair(2), 10, targets);
      const weights = (t: number) => {
        const one = square(data(t + 1, 6)) as Tensor;
        const sampleWeight = [one, t === at ? one : (square(data(t + 50, 6)) as Tensor)];
        return {
          xs: [data(t, 6, 3), data(t + 9, 6, 3)],
          ys: [data(t, 6, 2), data(t + 5, 6, 2)],
          options: {sampleWeight},
        };
      };
      trainTwins(() => pair(2), 10, weights as (t: number) => Batch);
    });

    it.each([2, 3, 4, 6])('as the weights of two layers before step %i, also with other numbers of rows', (at) => {
      const copied = (model: LayersModel, t: number) => {
        if (t === at) model.layers[2]?.setWeights((model.layers[1] as Layer).getWeights());
      };
      const batch = (t: number) => ({xs: data(t, 6, 3), ys: data(t + 7, 6, 2)});
      const select: Selector = (losses, context = {}) => topK({k: 1 + ((context.step ?? 0) % 3)})(losses, context);
      const build = () => chain(dense(3, 'tanh'), dense(3, 'tanh'));
      trainTwins(build, 10, batch, {change: copied});
      trainTwins(build, 12, batch, {change: copied, options: {select}});
    });
  });

  describe('goes by what somebody put into a layer', () => {
    const batch = (t: number) => ({xs: data(t, 6, 3), ys: data(t + 7, 6, 2)});
    const kernelOf = (model: LayersModel) => (model.layers[1] as unknown as {kernel: {read(): Tensor}}).kernel.read();

    it.each([0, 5])('such as a loss of its own, from step %i on', (from) => {
      let t = 0;
      const change = (model: LayersModel, at: number) => {
        t = at;
        if (at !== from) return;
        const penalty = () => mul(sum(square(kernelOf(model))), 0.01 * (t + 1));
        (model.layers[1] as unknown as {addLoss(losses: unknown[]): void}).addLoss([penalty]);
      };
      const replayed = trainTwins(() => chain(dense(3, 'tanh')), 10, batch, {change});
      expect(replayed.filter((at) => at >= from)).toEqual([]);
    });

    it('such as a loss of its own beside a regulariser of a weight that it lacks', () => {
      let t = 0;
      const build = () => chain(layers.dense({units: 3, useBias: false, biasRegularizer: 'l1l2'}));
      const change = (model: LayersModel, at: number) => {
        t = at;
        if (at > 0) return;
        const penalty = () => mul(sum(square(kernelOf(model))), 0.01 * t);
        (model.layers[1] as unknown as {addLoss(losses: unknown[]): void}).addLoss([penalty]);
      };
      expect(trainTwins(build, 10, batch, {change})).toEqual([]);
      const regularised = () => chain(layers.dense({units: 3, kernelRegularizer: 'l1l2', biasRegularizer: 'l1l2'}));
      expect(trainTwins(regularised, 10, batch).length).toBeGreaterThanOrEqual(5);
    });

    it('such as the class of an activation', () => {
      const {activation} = dense(1, 'tanh') as unknown as {activation: object};
      const prototype = Object.getPrototypeOf(activation) as {apply(x: Tensor): Tensor};
      const {apply} = prototype;
      const change = (_: LayersModel, t: number) => {
        if (t === 6) prototype.apply = (x) => mul(x, 0.5);
      };
      try {
        trainTwins(() => chain(dense(3, 'tanh')), 10, batch, {change});
      } finally {
        prototype.apply = apply;
      }
    });

    it('such as an activation of its own, or the penalties of the whole model', () => {
      const activated = (model: LayersModel, t: number) => {
        if (t !== 6) return;
        const {activation} = model.layers[1] as unknown as {activation: {apply(x: Tensor): Tensor}};
        activation.apply = (x) => mul(x, 0.5);
      };
      trainTwins(() => chain(dense(3, 'tanh')), 10, batch, {change: activated});
      let t = 0;
      const penalised = (model: LayersModel, at: number) => {
        t = at;
        if (at === 2) model.calculateLosses = () => [mul(sum(square(kernelOf(model))), 0.01 * t) as never];
      };
      expect(trainTwins(() => chain(dense(3, 'tanh')), 10, batch, {change: penalised})).toEqual([]);
    });

    it('such as a method of its class', () => {
      const prototype = layers.dropout({rate: 0.1}).constructor.prototype as Layer;
      const {call} = prototype;
      let factor = 1;
      prototype.call = (x) => mul((Array.isArray(x) ? x[0] : x) as Tensor, factor);
      try {
        const change = (_: LayersModel, t: number) => {
          factor = 1 + t;
        };
        expect(trainTwins(() => chain(dense(3), layers.dropout({rate: 0.1})), 8, batch, {change})).toEqual([]);
      } finally {
        prototype.call = call;
      }
    });
  });

  it('takes no loss for ours that only took over its fields, and none with other rows that count', () => {
    let factor = 1;
    const change = (_: LayersModel, t: number) => {
      factor = 1 + t;
    };
    const batch = (t: number) => ({xs: data(t, 6, 3), ys: data(t + 7, 6, 2)});
    const ours = meanSquaredError();
    const scaled = Object.assign((y: Tensor, p: Tensor) => mul(ours(y, p), factor), ours) as PerSampleLoss;
    trainTwins(() => chain(dense(3, 'tanh')), 9, batch, {change, options: {loss: scaled}});
    const masked = meanSquaredError();
    masked.valid = (y) => mul(add(mean(mul(y, 0), -1), 1), factor % 2);
    trainTwins(() => chain(dense(3, 'tanh')), 9, batch, {
      change,
      options: {
        loss: masked,
        select: (losses) => ({indices: tensor1d([0, 1], 'int32'), weights: tensor1d([1, losses.size / 6])}),
      },
    });
  });

  it('keeps the class weights that a loss was built with', () => {
    const classWeights = [1, 2];
    const loss = categoricalCrossentropy({classWeights});
    const [y, p] = [tensor1d([0, 1]), tensor1d([0.5, 0.5])].map((row) => tidy(() => add(mul(row, 1), 0)));
    const before = tidy(() => loss(mul(y as Tensor, [[1, 1]]), mul(p as Tensor, [[1, 1]])).dataSync()[0]);
    classWeights[1] = 50;
    expect(tidy(() => loss(mul(y as Tensor, [[1, 1]]), mul(p as Tensor, [[1, 1]])).dataSync()[0])).toBe(before);
  });

  it('replays batch normalisation, with its statistics', () => {
    const build = () => chain(dense(3), layers.batchNormalization(), dense(3, 'tanh'));
    const batch = (t: number) => ({xs: data(t, 6, 3), ys: data(t + 7, 6, 2)});
    expect(trainTwins(build, 10, batch).length).toBeGreaterThanOrEqual(5);
    const change = (model: LayersModel, t: number) => {
      if (t === 8) Object.assign(model.layers[2] as object, {momentum: 0.2});
    };
    trainTwins(build, 14, batch, {change});
  });

  it('replays eight shapes in turn, and the frequent one among rare ones', () => {
    const build = () => chain(dense(3, 'tanh'));
    const shapes = (size: (t: number) => number) => (t: number) => ({
      xs: data(t, size(t), 3),
      ys: data(t + 7, size(t), 2),
    });
    expect(
      trainTwins(
        build,
        56,
        shapes((t) => 3 + (t % 8)),
      ).length,
    ).toBeGreaterThanOrEqual(16);
    const mixed = trainTwins(
      build,
      60,
      shapes((t) => (t % 2 === 0 ? 6 : 7 + (t % 23))),
    );
    expect(mixed.filter((t) => t % 2 === 0).length).toBeGreaterThanOrEqual(24);
    const twelve = trainTwins(
      build,
      144,
      shapes((t) => 3 + (t % 12)),
    );
    expect(twelve.filter((t) => t >= 96).length).toBeGreaterThanOrEqual(24);
  });

  it('is replayed for a layer that stands in two models', () => {
    const build = () => {
      const shared = dense(3, 'tanh');
      const inner = sequential({layers: [layers.inputLayer({inputShape: [3]}), shared]});
      const x = input({shape: [3]});
      const sums = layers.add().apply([inner.apply(x), shared.apply(x)] as SymbolicTensor[]);
      return modelOf({inputs: x, outputs: dense(2).apply(sums) as SymbolicTensor});
    };
    const batch = (t: number) => ({xs: data(t, 6, 3), ys: data(t + 7, 6, 2)});
    expect(trainTwins(build, 10, batch).length).toBeGreaterThanOrEqual(5);
  });

  it('is recorded also from batches that come from another backend', async () => {
    const other: BackendName = name === 'cpu' ? 'wasm' : 'cpu';
    await setBackend(other);
    const batches = Array.from({length: 10}, (_, t) => ({xs: data(t, 6, 3), ys: data(t + 7, 6, 2)}));
    await setBackend(name);
    const replayed = trainTwins(
      () => chain(dense(3, 'tanh')),
      10,
      (t) => batches[t] as Batch,
    );
    expect(replayed.length).toBeGreaterThanOrEqual(5);
  });

  it('continues where an output is there twice, and where random numbers cannot be watched', () => {
    const twice = () => {
      const x = input({shape: [3]});
      const y = dense(2).apply(x) as SymbolicTensor;
      return modelOf({inputs: x, outputs: [y, y]});
    };
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const batch = (t: number) => ({xs: data(t, 6, 3), ys: [data(t + 7, 6, 2), data(t + 8, 6, 2)]});
    trainTwins(twice, 6, batch, {options: {loss: meanSquaredError(), lossWeights: [1, 0]}});
    const random = Object.getOwnPropertyDescriptor(Math, 'random') as PropertyDescriptor;
    Object.defineProperty(Math, 'random', {...random, writable: false});
    try {
      const single = (t: number) => ({xs: data(t, 6, 3), ys: data(t + 7, 6, 2)});
      expect(trainTwins(() => chain(dense(3, 'tanh')), 6, single)).toEqual([]);
    } finally {
      Object.defineProperty(Math, 'random', random);
    }
  });

  it('says of a loss that mixes rows what a step on a tape says', () => {
    const [one, other] = twins(() => chain(dense(3, 'tanh')));
    const gram = (rows: Tensor) => matMul(rows as never, transpose(rows) as never);
    const losses: PerSampleLoss[] = [
      (y, p) => mean(square(sub(gram(p), gram(y))), -1),
      (y, p) => mul(mean(square(sub(p, y)), -1), add(sum(square(mean(p, 0))), 1)),
    ];
    for (const loss of losses) {
      const [step, plain] = [one, other].map((model) =>
        ohemStep(model, {loss, select: topK({ratio: 0.5}), optimizer: train.sgd(0.01)}),
      ) as [OhemStep, OhemStep];
      for (let t = 0; t < 8; t++) for (const take of [step, plain]) take(data(t, 6, 3), data(t + 7, 6, 2)).dispose();
      expect(step.why).toBe(`${plain.why}; ${REPLAYED}`);
      expect(step.strategy).toBe(plain.strategy);
    }
  });

  it('leaves nothing behind over shapes that come and go', () => {
    const model = chain(dense(3, 'tanh'), layers.batchNormalization());
    const optimizer = train.sgd(0.01);
    const sizes = Array.from({length: 40}, (_, t) => 2 + (t % 13));
    const batches = new Map(sizes.map((size) => [size, {xs: data(size, size, 3), ys: data(size + 1, size, 2)}]));
    const before = [memory().numTensors, memory().numDataBuffers, backend().numDataIds()];
    const step = ohemStep(model, {loss: meanSquaredError(), optimizer});
    for (const size of sizes) {
      const {xs, ys} = batches.get(size) as {xs: Tensor; ys: Tensor};
      step(xs, ys).dispose();
    }
    step.dispose();
    expect([memory().numTensors, memory().numDataBuffers, backend().numDataIds()]).toEqual(before);
  });
});
