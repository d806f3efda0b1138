import {fill, type Tensor, tensor2d, train, zeros} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model as layersModel, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {all, fitOhem, type OhemStepOptions, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {repeatably} from '../support/property';
import {weightValues} from '../support/tinyModel';

/** One input, and two outputs of one value each, behind a layer that they share. */
function forked(): LayersModel {
  return repeatably(() => {
    const x = input({shape: [2]});
    const shared = layers.dense({units: 3, kernelInitializer: 'glorotNormal'}).apply(x) as SymbolicTensor;
    const [a, b] = ['a', 'b'].map((name) =>
      layers.dense({units: 1, name, kernelInitializer: 'glorotNormal'}).apply(shared),
    ) as [SymbolicTensor, SymbolicTensor];
    return layersModel({inputs: x, outputs: [a, b]});
  });
}

const xs = () => tensor2d([1, 0, 0, 1, 1, 1, -1, 2], [4, 2]);
const ofA = () => tensor2d([1, 2, 3, 4], [4, 1]);

describeOnBackends('An output whose loss counts 0', () => {
  const taken = async (ys: Record<string, Tensor>, options: Partial<OhemStepOptions> = {}) => {
    const model = forked();
    const step = ohemStep(model, {
      loss: 'meanSquaredError',
      lossWeights: {b: 0},
      select: topK({k: 3}),
      optimizer: train.sgd(0.01),
      ...options,
    });
    const figures = await step(xs(), ys).read();
    return {figures, weights: weightValues(model)};
  };

  it('drops no row by targets that are missing', async () => {
    const expected = await taken({a: ofA(), b: zeros([4, 1])});
    expect(expected.figures).toMatchObject({kept: 3, nonFinite: 0});
    expect(await taken({a: ofA(), b: fill([4, 1], Number.NaN)})).toEqual(expected);
    expect(await taken({a: ofA()})).toEqual(expected);
  });

  it('needs no loss, and its loss is not called', async () => {
    const expected = await taken({a: ofA(), b: zeros([4, 1])});
    expect(await taken({a: ofA()}, {loss: {a: 'meanSquaredError'}})).toEqual(expected);
    const never: PerSampleLoss = () => {
      throw new Error('called');
    };
    const loss = {a: 'meanSquaredError' as const, b: never};
    expect(await taken({a: ofA()}, {loss})).toEqual(expected);
  });

  it('needs no target either when elements are mined', async () => {
    const expected = await taken({a: ofA(), b: zeros([4, 1])}, {granularity: 'element'});
    expect(await taken({a: ofA()}, {granularity: 'element'})).toEqual(expected);
  });

  describe('is another matter where', () => {
    it('its loss counts: the target and the loss are needed', () => {
      const step = ohemStep(forked(), {loss: 'meanSquaredError', select: all(), optimizer: train.sgd(0.01)});
      expect(() => step(xs(), {a: ofA()})).toThrow('ohemStep: ys must be a tensor, or tensors for a, b, got {a}.');
      expect(() => ohemStep(forked(), {loss: {a: 'meanSquaredError'}, optimizer: train.sgd(0.01)})).toThrow(
        'ohemStep: loss must be given for every output (a, b), got none for b.',
      );
    });

    it('all losses count 0: then all are computed, and their targets needed', () => {
      const lossWeights = {a: 0, b: 0};
      const step = ohemStep(forked(), {loss: 'meanSquaredError', lossWeights, optimizer: train.sgd(0.01)});
      expect(() => step(xs(), {a: ofA()})).toThrow('ohemStep: ys must be a tensor, or tensors for a, b, got {a}.');
    });
  });

  it('drops no row in fitOhem', async () => {
    const options = {loss: 'meanSquaredError', lossWeights: {b: 0}, optimizer: train.sgd(0.01), verbose: 0} as const;
    const unknown = fill([4, 1], Number.NaN);
    const {history} = await fitOhem(forked(), xs(), {a: ofA(), b: unknown}, {...options, select: all()});
    expect(history.kept).toEqual([4]);
    expect(Number.isFinite((history.loss as number[])[0])).toBe(true);
  });
});
