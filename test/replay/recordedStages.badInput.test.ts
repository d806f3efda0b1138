import {
  add,
  backend,
  engine,
  env,
  grad,
  memory,
  mul,
  profile,
  randomNormal,
  type Scalar,
  setBackend,
  square,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tensor2d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import {all, type OhemStep, type OhemStepOptions, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {categoricalCrossentropy, meanSquaredError, sparseCategoricalCrossentropy} from 'ohem-tfjs/losses';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {canReplay} from '../../src/engine';
import {type BackendName, describeOnBackends} from '../support/backends';
import {randomFrom} from '../support/property';
import {bitsOf, REPLAYED, twins} from '../support/twins';
import {trainsOn} from '../support/wasmTraining';

const SIZE = 8;

function network(rate = 0): LayersModel {
  const dense = (units: number, activation: 'tanh' | 'softmax') =>
    layers.dense({
      units,
      activation,
      kernelInitializer: 'glorotNormal',
      kernelRegularizer: regularizers.l2({l2: 0.01}),
    });
  return sequential({
    layers: [layers.inputLayer({inputShape: [4]}), dense(6, 'tanh'), layers.dropout({rate}), dense(3, 'softmax')],
  });
}

const batch = (seed: number, size = SIZE) => ({
  xs: randomNormal([size, 4], 0, 1, 'float32', seed),
  ys: tidy(() => square(randomNormal([size, 3], 0, 1, 'float32', seed + 1))),
});

function stepsFor(models: LayersModel[], options: OhemStepOptions = {}): OhemStep[] {
  return models.map((model) =>
    ohemStep(model, {
      loss: categoricalCrossentropy(),
      select: topK({ratio: 0.5}),
      ...options,
      optimizer: options.optimizer ?? train.sgd(0.1),
    }),
  );
}

/**
 * Takes the same steps with both, and expects the same weights; returns how many of the first were
 * replayed.
 */
function alike(models: LayersModel[], steps: OhemStep[], count: number, before?: (t: number) => void): number {
  let replayed = 0;
  for (let t = 0; t < count; t++) {
    before?.(t);
    const {xs, ys} = batch(100 + t);
    for (const step of steps) {
      vi.spyOn(Math, 'random').mockImplementation(randomFrom(t));
      step(xs, ys).dispose();
    }
    if (steps[0]?.why.endsWith(REPLAYED)) replayed++;
    expect(bitsOf(models[0] as LayersModel)).toEqual(bitsOf(models[1] as LayersModel));
    xs.dispose();
    ys.dispose();
  }
  return replayed;
}

describeOnBackends('A step over a recorded model', (name) => {
  trainsOn(name);
  afterEach(() => void vi.restoreAllMocks());

  describe('whose layers change between steps', () => {
    type Changeable = Record<string, unknown>;
    it.each<[string, (layers: Changeable[]) => void]>([
      ['a rate of dropout', ([, , dropout]) => Object.assign(dropout as object, {rate: 0.7})],
      ['a regulariser', ([, dense]) => Object.assign((dense as Changeable).kernelRegularizer as object, {l2: 0.5})],
      [
        'an activation',
        ([, dense, , last]) => Object.assign(dense as object, {activation: (last as Changeable).activation}),
      ],
      ['a bias that is left out', ([, dense]) => Object.assign(dense as object, {useBias: false, bias: null})],
      ['a layer that is frozen', ([, dense]) => Object.assign(dense as object, {trainable: false})],
    ])('goes by %s at once', (_, change) => {
      const models = twins(() => network(0.3));
      const steps = stepsFor(models);
      const replayed = alike(models, steps, 14, (t) => {
        if (t === 7) for (const model of models) change(model.layers as unknown as Changeable[]);
      });
      expect(replayed).toBeGreaterThanOrEqual(7);
    });

    it('goes by a call hook and by a call of its own', () => {
      const models = twins(network);
      const steps = stepsFor(models);
      alike(models, steps, 6);
      const [, dense] = (models[0] as LayersModel).layers as [unknown, LayersModel['layers'][number]];
      const seen: unknown[] = [];
      (dense as unknown as {setCallHook(hook: unknown): void}).setCallHook((inputs: unknown) => void seen.push(inputs));
      expect(alike(models, steps, 3)).toBe(0);
      expect(seen.length).toBeGreaterThanOrEqual(3);
    });
  });

  it('takes turns with another step over the same model', () => {
    const models = twins(network);
    const [one, plain] = stepsFor(models) as [OhemStep, OhemStep];
    const [other, plainOther] = stepsFor(models, {loss: meanSquaredError(), select: all(), reduction: 'sum'}) as [
      OhemStep,
      OhemStep,
    ];
    for (let round = 0; round < 4; round++) {
      alike(models, [one, plain], 2);
      alike(models, [other, plainOther], 2);
    }
    expect([one, other].map(({why}) => why.endsWith(REPLAYED))).toEqual([true, true]);
  });

  it('is the same within a tidy, and within the gradient of somebody else', () => {
    const models = twins(network);
    const steps = stepsFor(models) as [OhemStep, OhemStep];
    alike(models, steps, 5);
    const {xs, ys} = batch(1);
    const losses = steps.map((step) => {
      const f = (x: Tensor) =>
        tidy(() => {
          const {losses} = step(xs, ys);
          return add(sum(square(x)), mul(sum(losses), 0)) as Scalar;
        });
      return [...grad(f)(tensor1d([3, 4])).dataSync()];
    });
    expect(losses).toEqual([
      [6, 8],
      [6, 8],
    ]);
    expect(bitsOf(models[0])).toEqual(bitsOf(models[1]));
    expect(steps[0].why).toContain(REPLAYED);
  });

  it('continues after the backend was switched, there and back', async () => {
    const models = twins(network);
    const steps = stepsFor(models);
    const other: BackendName = name === 'cpu' ? 'wasm' : 'cpu';
    alike(models, steps, 5);
    await setBackend(other);
    try {
      alike(models, steps, 5);
    } finally {
      await setBackend(name);
    }
    expect(alike(models, steps, 5)).toBeGreaterThan(0);
  });

  it.each(['incRef', 'addTapeNode'])('sees at once where the engine has no %s', (missing) => {
    const models = twins(network);
    const steps = stepsFor(models) as [OhemStep, OhemStep];
    alike(models, steps, 5);
    const owner = missing === 'incRef' ? backend() : engine();
    Object.defineProperty(owner, missing, {value: undefined, configurable: true});
    try {
      // tfjs itself needs both: what matters is that it is seen before anything runs.
      expect(canReplay()).toBe(false);
    } finally {
      delete (owner as unknown as Record<string, unknown>)[missing];
    }
    expect(alike(models, steps, 3)).toBeGreaterThan(0);
  });

  it('runs on a tape while kernels are profiled', async () => {
    const models = twins(network);
    const steps = stepsFor(models) as [OhemStep, OhemStep];
    alike(models, steps, 5);
    const {xs, ys} = batch(9);
    const {kernelNames} = await profile(() => {
      for (const step of steps) step(xs, ys).dispose();
      return tensor1d([0]);
    });
    expect(kernelNames).toContain('Softmax');
    expect(steps[0].why).not.toContain(REPLAYED);
    expect(bitsOf(models[0])).toEqual(bitsOf(models[1]));
  });

  it('changes nothing and leaves nothing behind if it throws in the middle, and continues', () => {
    const models = twins(network);
    let isBroken = false;
    const broken: PerSampleLoss = Object.assign((truth: Tensor, predicted: Tensor) => {
      if (isBroken) throw new Error('broken');
      return sum(square(add(predicted, mul(truth, -1))), 1);
    });
    const select = (losses: Tensor1D) => {
      if (isBroken) throw new Error('broken');
      return topK({k: 3})(losses);
    };
    for (const options of [{loss: broken}, {select}]) {
      const steps = stepsFor(models, options);
      alike(models, steps, 6);
      const {xs, ys} = batch(3);
      const bits = bitsOf(models[0]);
      const before = [memory().numTensors, memory().numDataBuffers, memory().numBytes, backend().numDataIds()];
      isBroken = true;
      for (let i = 0; i < 3; i++) expect(() => steps[0]?.(xs, ys)).toThrow('broken');
      isBroken = false;
      expect([memory().numTensors, memory().numDataBuffers, memory().numBytes, backend().numDataIds()]).toEqual(before);
      expect(bitsOf(models[0])).toEqual(bits);
      expect(alike(models, steps, 3)).toBe(3);
    }
  });

  it('gives back what a recording holds when it is disposed', () => {
    const model = network();
    const optimizer = train.sgd(0.1);
    const {xs, ys} = batch(3);
    const counts = Array.from({length: 3}, () => {
      const [step] = stepsFor([model], {optimizer}) as [OhemStep];
      for (let i = 0; i < 6; i++) step(xs, ys).dispose();
      expect(step.why).toContain(REPLAYED);
      const held = backend().numDataIds();
      step.dispose();
      return [held, backend().numDataIds()];
    });
    const [[, left], [held, leftNext], last] = counts as [number[], number[], number[]];
    expect(held).toBeGreaterThan(left as number);
    expect([leftNext, last[1]]).toEqual([left, left]);
  });

  it('checks labels in every step, also in those that are replayed', () => {
    const model = network();
    const [step] = stepsFor([model], {loss: sparseCategoricalCrossentropy()}) as [OhemStep];
    const {xs} = batch(3);
    const labels = (last: number) => tensor1d([0, 1, 2, 0, 1, 2, 0, last], 'int32');
    for (let i = 0; i < 6; i++) step(xs, labels(1)).dispose();
    expect(env().getBool('PROD')).toBe(false);
    expect(() => step(xs, labels(3))).toThrow(
      'sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 2, got 3',
    );
  });

  it('gives rows that are not finite no say, also in steps that are replayed', () => {
    const models = twins(network);
    const steps = stepsFor(models) as [OhemStep, OhemStep];
    alike(models, steps, 5);
    const {ys} = batch(4);
    const values = [...batch(4).xs.dataSync()];
    values[5] = Number.NaN;
    const xs = tensor2d(values, [SIZE, 4]);
    for (const step of steps) {
      const report = step(xs, ys);
      expect(report.nonFinite.dataSync()[0]).toBe(1);
      report.dispose();
    }
    expect(bitsOf(models[0])).toEqual(bitsOf(models[1]));
    expect(bitsOf(models[0]).flat().length).toBeGreaterThan(0);
  });

  it('takes a loss that captured what the model computed on the tape of this very step', () => {
    const models = twins(network);
    const [step] = stepsFor([models[0]], {
      loss: (truth, predicted) => {
        const [kernel] = models[0].trainableWeights as unknown as [{read(): Tensor}];
        return add(sum(square(add(predicted, mul(truth, -1))), 1), mul(sum(square(kernel.read())), 0.3));
      },
    }) as [OhemStep];
    const [plain] = stepsFor([models[1]], {
      loss: (truth, predicted) => {
        const [kernel] = models[1].trainableWeights as unknown as [{read(): Tensor}];
        return add(sum(square(add(predicted, mul(truth, -1))), 1), mul(sum(square(kernel.read())), 0.3));
      },
    }) as [OhemStep];
    expect(alike(models, [step, plain], 8)).toBeGreaterThan(0);
  });
});
