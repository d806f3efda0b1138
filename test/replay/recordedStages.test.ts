import {memory, slice, type Tensor, train, type Variable} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {meanSquaredError, ohemStep, topK} from 'ohem-tfjs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {COMMON_MODELS, inputsFor} from '../support/commonModels';
import {SPECIMENS, type Specimen} from '../support/models';
import {randomFrom} from '../support/property';
import {bitsOf, REPLAYED, twins} from '../support/twins';
import {trainsOn} from '../support/wasmTraining';

/** Sizes of 50 batches: full ones, a short last one, others for a while, and full ones again. */
const SIZES = Array.from({length: 50}, (_, t) => (t % 12 === 11 ? 5 : t >= 30 && t < 38 ? 6 : 8));

const inModels: Specimen[] = COMMON_MODELS.map((common) => ({
  ...common,
  wrongOn: common.failsOn ?? [],
  xs: (size: number) => [inputsFor(common, size)],
  ys: (size: number): Tensor[] => {
    const model = common.build();
    const ys = model.predict(inputsFor(common, size)) as Tensor;
    model.dispose();
    return [ys];
  },
}));

/**
 * Trains both models on the same batches, and compares them; returns how many steps were replayed.
 */
function trainTwins({build, xs, ys}: Specimen, steps: number): number {
  const [one, other] = twins(build);
  let replayed = 0;
  const optimizers = [train.momentum(0.01, 0.9), train.momentum(0.01, 0.9)];
  const [step, plain] = [one, other].map((model, i) =>
    ohemStep(model, {
      loss: model.outputs.map(() => meanSquaredError()),
      select: topK({ratio: 0.5}),
      optimizer: optimizers[i] as ReturnType<typeof train.momentum>,
    }),
  ) as [ReturnType<typeof ohemStep>, ReturnType<typeof ohemStep>];
  const batches = new Map([...new Set(SIZES)].map((size) => [size, {xs: xs(size), ys: ys(size)}]));
  for (const [t, size] of SIZES.slice(0, steps).entries()) {
    const batch = batches.get(size) as {xs: Tensor[]; ys: Tensor[]};
    for (const model of [one, other]) {
      const layer = model.layers.find(({trainableWeights}) => trainableWeights.length > 0);
      if (t === 16 && layer && model.trainableWeights.length > layer.weights.length) layer.trainable = false;
      if (t === 22) for (const each of model.layers) each.trainable = true;
    }
    if (t === 26) for (const optimizer of optimizers) Object.assign(optimizer, {learningRate: 0.002});
    const losses = [step, plain].map((take) => {
      vi.spyOn(Math, 'random').mockImplementation(randomFrom(t));
      const report = take(batch.xs, batch.ys);
      const values = [...report.losses.dataSync()];
      report.dispose();
      return values;
    });
    if (step.why.endsWith(REPLAYED)) replayed++;
    expect(plain.why).not.toContain(REPLAYED);
    expect(losses[0]).toEqual(losses[1]);
    if (t % 5 === 4) expect(bitsOf(one)).toEqual(bitsOf(other));
  }
  step.dispose();
  plain.dispose();
  return replayed;
}

describeOnBackends('A recorded step', (backend) => {
  trainsOn(backend);
  afterEach(() => void vi.restoreAllMocks());

  const all = [...SPECIMENS, ...inModels].filter(({wrongOn = []}) => !wrongOn.includes(backend));
  it.each(all)('moves $name as a step on a tape does, bit for bit', (specimen) => {
    trainTwins(specimen, 50);
  });

  describe('of layers that draw', () => {
    const dense = (units: number) => layers.dense({units, activation: 'tanh', kernelInitializer: 'glorotNormal'});
    const drawing: Record<string, () => LayersModel['layers']> = {
      dropout: () => [dense(6), layers.dropout({rate: 0.4}), dense(2)],
      'dropout with a seed': () => [dense(6), layers.dropout({rate: 0.4, seed: 3}), dense(2)],
      'dropout twice': () => [layers.dropout({rate: 0.2}), dense(6), layers.dropout({rate: 0.5}), dense(2)],
      'Gaussian noise and dropout': () => [
        layers.gaussianNoise({stddev: 0.3}),
        dense(6),
        layers.gaussianDropout({rate: 0.3}),
        dense(2),
      ],
      'alpha dropout': () => [dense(6), layers.alphaDropout({rate: 0.3, noiseShape: [8, 6]}), dense(2)],
      'a recurrent layer with both dropouts': () => [
        layers.reshape({targetShape: [2, 2]}),
        layers.gru({units: 3, dropout: 0.3, recurrentDropout: 0.3, recurrentInitializer: 'glorotNormal'}),
        dense(2),
      ],
    };
    it.each(Object.entries(drawing))('%s draws anew, the same numbers', (_, make) => {
      const build = () => {
        const model = sequential();
        model.add(layers.inputLayer({inputShape: [4]}));
        for (const layer of make()) model.add(layer);
        return model;
      };
      const specimen = (SPECIMENS[0] as Specimen).xs;
      const xs = (size: number) => specimen(size).map((x) => slice(x, [0, 0], [size, 4]));
      const ys = (size: number) => specimen(size).map((x) => slice(x, [0, 0], [size, 2]));
      expect(trainTwins({name: '', build, xs, ys}, 11)).toBeGreaterThanOrEqual(6);
    });
  });

  it('is replayed from the fifth step with a shape on, for a model of layers', () => {
    const specimen = SPECIMENS[0] as Specimen;
    expect(trainTwins(specimen, 11)).toBe(7);
  });

  it('leaves tensors, bytes and data as they were over 5,000 steps, also without the recording', () => {
    const {build, xs, ys} = SPECIMENS[0] as Specimen;
    const model = build();
    const [x, y] = [xs(8), ys(8)];
    const optimizer = train.sgd(0.01);
    const before = memory();
    const step = ohemStep(model, {loss: meanSquaredError(), optimizer});
    for (let i = 0; i < 5_000; i++) step(x, y).dispose();
    expect(step.why).toContain(REPLAYED);
    const {numTensors, numBytes, numDataBuffers} = memory();
    expect([numTensors, numBytes, numDataBuffers]).toEqual([before.numTensors, before.numBytes, before.numDataBuffers]);
    step.dispose();
    for (const weight of model.weights) expect((weight.read() as Variable).isDisposed).toBe(false);
  });
});
