import {memory, ones, type Tensor, train} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model as modelOf, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {type FitOhemArgs, fitOhem, fitOhemDataset} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

const compiled = <M extends LayersModel>(model: M): M => {
  model.compile({optimizer: train.sgd(0.01), loss: 'meanSquaredError'});
  return model;
};
const plain = () => sequential({layers: [layers.dense({units: 1, inputShape: [3]})]});
const MODELS: Record<string, () => LayersModel> = {
  'a sequential model': () => compiled(plain()),
  'a functional model': () => {
    const inputs = input({shape: [3]});
    return compiled(modelOf({inputs, outputs: layers.dense({units: 1}).apply(inputs) as never}));
  },
};
/** The model by which a sequential one trains. */
const innerOf = (model: Sequential) => (model as unknown as {model: LayersModel}).model;

const OPTIONS = {epochs: 2, verbose: 0} as const;
const batch = () => ({xs: ones([8, 3]), ys: ones([8, 1])});
/** As `tf.data` makes one. */
const dataset = () => {
  let given = 0;
  const next = async () => (given++ < 3 ? {value: batch(), done: false} : {value: null, done: true});
  return {iterator: async () => ({next})};
};
const TFJS: Record<string, (model: LayersModel) => Promise<unknown>> = {
  fit: (model) => model.fit(ones([8, 3]), ones([8, 1]), {...OPTIONS}),
  fitDataset: (model) => model.fitDataset(dataset() as never, {...OPTIONS}),
};
const OURS: Record<string, (model: LayersModel, options?: FitOhemArgs) => Promise<unknown>> = {
  fitOhem: (model, options) => fitOhem(model, ones([8, 3]), ones([8, 1]), {...OPTIONS, ...options}),
  fitOhemDataset: (model) => fitOhemDataset(model, dataset as never, OPTIONS),
};
const pairs = <A, B>(first: Record<string, A>, second: Record<string, B>) =>
  Object.entries(first).flatMap(([a, f]) => Object.entries(second).map(([b, g]) => [a, b, f, g] as const));

describeOnBackends('Two calls that train a model at once', () => {
  describe.each(Object.entries(MODELS))('%s', (_, makeModel) => {
    it.each(pairs(TFJS, OURS))('are refused: %s, then %s', async (_, name, first, second) => {
      const model = makeModel();
      const running = first(model);
      await expect(second(model)).rejects.toThrow(
        `${name}: model must be trained by one call at a time, got one in training. Await the other call.`,
      );
      await running;
      await second(model);
    });

    it.each(pairs(OURS, TFJS))('are refused: %s, then %s', async (_, __, first, second) => {
      const model = makeModel();
      const running = first(model);
      await expect(second(model)).rejects.toThrow('another fit() call is ongoing');
      await running;
      await second(model);
    });

    it.each(pairs(OURS, OURS))('are refused: %s, then %s', async (_, name, first, second) => {
      const model = makeModel();
      const running = first(model);
      await expect(second(model)).rejects.toThrow(`${name}: model must be trained by one call at a time`);
      // A call that is refused leaves the marks of the one that runs.
      await expect(second(model)).rejects.toThrow(`${name}: model must be trained by one call at a time`);
      await running;
      await second(model);
    });

    it('are taken again after one that threw, wherever that was', async () => {
      const model = makeModel();
      const fail = () => {
        throw new Error('enough');
      };
      for (const callbacks of [{onTrainBegin: fail}, {onBatchEnd: fail}, {onEpochEnd: fail}, {onTrainEnd: fail}]) {
        await expect(OURS.fitOhem?.(model, {callbacks})).rejects.toThrow('enough');
      }
      await expect(OURS.fitOhem?.(model, {checkpoint: fail})).rejects.toThrow('enough');
      await expect(OURS.fitOhem?.(model, {select: fail})).rejects.toThrow('enough');
      await TFJS.fit?.(model);
      await OURS.fitOhem?.(model);
    });
  });

  it('are refused also if one has the model inside a sequential one', async () => {
    const model = compiled(plain());
    for (const [first, second] of [
      [model, innerOf(model)],
      [innerOf(model), model],
    ] as const) {
      const running = OURS.fitOhem?.(first);
      await expect(OURS.fitOhem?.(second)).rejects.toThrow('model must be trained by one call at a time');
      await running;
    }
  });

  it('leave no tensor behind when they are refused', async () => {
    const model = compiled(plain());
    const [x, y]: [Tensor, Tensor] = [ones([8, 3]), ones([8, 1])];
    const options = {...OPTIONS, sampleWeight: [1, 1, 1, 1, 2, 2, 2, 2]};
    await fitOhem(model, x, y, options);
    const before = memory().numTensors;
    const running = fitOhem(model, x, y, options);
    await expect(fitOhem(model, x, y, options)).rejects.toThrow('one call at a time');
    await running;
    expect(memory().numTensors).toBe(before);
  });
});
