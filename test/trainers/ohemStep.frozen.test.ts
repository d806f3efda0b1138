import {type Optimizer, ones, randomNormal, type Tensor, train, zeros} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as layersModel,
  type Sequential,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {all, fitOhem, ohemStep} from 'ohem-tfjs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {repeatably} from '../support/property';
import {weightValues} from '../support/tinyModel';

const CLOSE = {absolute: 1e-5, relative: 1e-4};

type Net = Sequential | LayersModel;
interface Gan {
  generator: Net;
  discriminator: Net;
  both: Net;
}

const init = {kernelInitializer: 'glorotNormal', biasInitializer: 'glorotNormal'} as const;
const OPTIMIZERS: [string, () => Optimizer][] = [
  ['sgd', () => train.sgd(0.2)],
  ['adam', () => train.adam(0.05)],
];

/**
 * A generator and a discriminator as the GAN of tfjs-examples builds them: the discriminator has a
 * model for its features, and is compiled, then frozen, then compiled in another model.
 */
function gan(makeOptimizer: () => Optimizer, isSequential: boolean): Gan {
  return repeatably(() => {
    const dense = (units: number, activation: 'tanh' | 'sigmoid', inputShape?: [number]) =>
      layers.dense({units, activation, kernelInitializer: 'glorotNormal', ...(inputShape && {inputShape})});
    const features = sequential({layers: [dense(5, 'tanh', [2]), dense(4, 'tanh')]});
    const generator = sequential({layers: [dense(5, 'tanh', [3]), dense(2, 'tanh')]});
    const [x, noise] = [input({shape: [2]}), input({shape: [3]})];
    const score = dense(1, 'sigmoid');
    const discriminator = isSequential
      ? sequential({layers: [features, score]})
      : layersModel({inputs: x, outputs: score.apply(features.apply(x)) as SymbolicTensor});
    discriminator.compile({optimizer: makeOptimizer(), loss: 'binaryCrossentropy'});
    discriminator.trainable = false;
    const both = isSequential
      ? sequential({layers: [generator, discriminator]})
      : layersModel({inputs: noise, outputs: discriminator.apply(generator.apply(noise)) as SymbolicTensor});
    both.compile({optimizer: makeOptimizer(), loss: 'binaryCrossentropy'});
    return {generator, discriminator, both};
  });
}

type Trained = (xs: Tensor, ys: Tensor) => Promise<unknown>;

/** Trains both in turn for some steps. */
async function play({generator}: Gan, ofDiscriminator: Trained, ofBoth: Trained): Promise<void> {
  for (let t = 0; t < 5; t++) {
    const noise = randomNormal([6, 3], 0, 1, 'float32', t + 1);
    await ofDiscriminator(randomNormal([6, 2], 1, 1, 'float32', t + 50), ones([6, 1]));
    await ofDiscriminator(generator.predict(noise) as Tensor, zeros([6, 1]));
    await ofBoth(noise, ones([6, 1]));
  }
}

const stockStep =
  (model: Net): Trained =>
  (xs, ys) =>
    model.trainOnBatch(xs, ys);

const mined = (model: Net, more: object = {}): Trained => {
  const step = ohemStep(model, {select: all(), ...more});
  return async (xs, ys) => step(xs, ys).dispose();
};

describeOnBackends('A discriminator that is frozen after compile', () => {
  afterEach(() => void vi.restoreAllMocks());

  describe.each([
    ['a Sequential', true],
    ['a model of layers', false],
  ])('as %s', (_, isSequential) => {
    it.each(OPTIMIZERS)('trains with its generator as trainOnBatch does, by %s', async (__, optimizer) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const [stock, ours] = [gan(optimizer, isSequential), gan(optimizer, isSequential)];
      const before = [weightValues(ours.discriminator), weightValues(ours.generator)];
      await play(stock, stockStep(stock.discriminator), stockStep(stock.both));
      warn.mockClear();
      await play(ours, mined(ours.discriminator), mined(ours.both));
      expect(warn).not.toHaveBeenCalled();
      for (const name of ['discriminator', 'generator'] as const) {
        expectClose(weightValues(ours[name]).flat(), weightValues(stock[name]).flat(), CLOSE);
      }
      expect(weightValues(ours.discriminator)).not.toEqual(before[0]);
      expect(weightValues(ours.generator)).not.toEqual(before[1]);
    });

    it('trains as trainOnBatch does if it is thawed for its own steps', async () => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      const thawed =
        ({discriminator}: Gan, train: Trained): Trained =>
        async (...batch) => {
          discriminator.trainable = true;
          await train(...batch);
          discriminator.trainable = false;
        };
      const [stock, ours] = [gan(() => train.sgd(0.2), isSequential), gan(() => train.sgd(0.2), isSequential)];
      await play(stock, thawed(stock, stockStep(stock.discriminator)), stockStep(stock.both));
      await play(ours, thawed(ours, mined(ours.discriminator)), mined(ours.both));
      for (const name of ['discriminator', 'generator'] as const) {
        expectClose(weightValues(ours[name]).flat(), weightValues(stock[name]).flat(), CLOSE);
      }
    });

    it('trains with an optimizer of its own, whether the step is built before or after', async () => {
      for (const isFirst of [true, false]) {
        const {discriminator, both} = gan(() => train.sgd(0.1), isSequential);
        discriminator.trainable = isFirst;
        const step = mined(discriminator, {optimizer: train.sgd(0.1), loss: 'binaryCrossentropy'});
        discriminator.trainable = false;
        const before = weightValues(discriminator);
        await step(ones([4, 2]), ones([4, 1]));
        const after = weightValues(discriminator);
        expect(after).not.toEqual(before);
        await mined(both)(ones([4, 3]), ones([4, 1]));
        expect(weightValues(discriminator)).toEqual(after);
      }
    });
  });

  it('stays as it is in the model around it, also when it is thawed for good', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const {discriminator, both, generator} = gan(() => train.sgd(0.1), true);
    discriminator.trainable = true;
    const before = [weightValues(discriminator), weightValues(generator)];
    const step = mined(both);
    await step(ones([4, 3]), ones([4, 1]));
    await step(ones([4, 3]), ones([4, 1]));
    expect(weightValues(discriminator)).toEqual(before[0]);
    expect(weightValues(generator)).not.toEqual(before[1]);
    const told = warn.mock.calls.map(([text]) => String(text)).filter((text) => text.startsWith('ohemStep'));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^ohemStep: .*, … were frozen when the model was compiled, and stay frozen\. Compile the model again to train them\.$/,
    );
  });

  it('trains in fitOhem', async () => {
    const {discriminator} = gan(() => train.sgd(0.1), true);
    const before = weightValues(discriminator);
    await fitOhem(discriminator, ones([4, 2]), ones([4, 1]), {verbose: 0});
    expect(weightValues(discriminator)).not.toEqual(before);
  });

  describe('goes by compile as trainOnBatch does', () => {
    const build = () =>
      repeatably(() => {
        const [first, second] = [layers.dense({units: 3, inputShape: [2], ...init}), layers.dense({units: 1, ...init})];
        return {first, model: sequential({layers: [first, second]})};
      });
    const compile = (model: Sequential) => model.compile({optimizer: train.sgd(0.1), loss: 'meanSquaredError'});
    const batch = () => [randomNormal([5, 2], 0, 1, 'float32', 3), ones([5, 1])] as const;

    it.each([
      ['a layer that was frozen since', true, false, false],
      ['a layer that was thawed since', false, true, false],
      ['a layer that was thawed before it was compiled again', false, true, true],
    ])('for %s', async (_, then, since, isCompiledAgain) => {
      vi.spyOn(console, 'warn').mockImplementation(() => {});
      const [stock, ours] = [build(), build()].map((built) => {
        built.first.trainable = then;
        compile(built.model);
        built.first.trainable = since;
        if (isCompiledAgain) compile(built.model);
        return built.model;
      }) as [Sequential, Sequential];
      const kernel = () => weightValues(ours.layers[0] as (typeof ours.layers)[number])[0];
      const before = kernel();
      await stock.trainOnBatch(...batch());
      await mined(ours)(...batch());
      expectClose(weightValues(ours).flat(), weightValues(stock).flat(), CLOSE);
      if (isCompiledAgain) expect(kernel()).not.toEqual(before);
      else expect(kernel()).toEqual(before);
    });
  });
});
