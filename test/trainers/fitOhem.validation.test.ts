import * as tf from '@tensorflow/tfjs-core';
import * as tfd from '@tensorflow/tfjs-data';
import {Callback, type LayersModel, layers, registerCallbackConstructor, sequential} from '@tensorflow/tfjs-layers';
import {all, fitOhem, fitOhemDataset, sparseCategoricalCrossentropy} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

const seeded = (seed: number) => ({className: 'GlorotNormal', config: {seed}}) as never;

function recurrent(): LayersModel {
  const initializers = {kernelInitializer: seeded(1), recurrentInitializer: seeded(2)};
  const model = sequential({
    layers: [
      layers.simpleRNN({units: 3, stateful: true, batchInputShape: [4, 5, 2], ...initializers}),
      layers.dense({units: 1, kernelInitializer: seeded(3)}),
    ],
  });
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  return model;
}

function dense(): LayersModel {
  const model = sequential({layers: [layers.dense({units: 1, inputShape: [2], kernelInitializer: seeded(1)})]});
  model.compile({optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError'});
  return model;
}

describeOnBackends('Validation', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it('moves no state of a recurrent layer', async () => {
    const [x, y] = [tf.randomNormal([8, 5, 2], 0, 1, 'float32', 1), tf.randomNormal([8, 1], 0, 1, 'float32', 2)];
    const validationData = [tf.slice(x, 0, 4), tf.slice(y, 4, 4)] as [tf.Tensor, tf.Tensor];
    const args = {epochs: 3, batchSize: 4, shuffle: false, verbose: 0, select: all()} as const;
    const [alone, validated] = [recurrent(), recurrent()];
    const without = await fitOhem(alone, x, y, args);
    const before = tf.memory().numTensors;
    const run = await fitOhem(validated, x, y, {...args, validationData});
    expect(run.history.loss).toEqual(without.history.loss);
    expect(validated.getWeights().map((w) => [...w.dataSync()])).toEqual(
      alone.getWeights().map((w) => [...w.dataSync()]),
    );
    expect(tf.memory().numTensors - before).toBeLessThan(20);
  });

  it('finds targets that do not fit before anything is trained, without running the model', async () => {
    const model = dense();
    let begun = 0;
    const callbacks = {onTrainBegin: () => void begun++};
    const wrong = [tf.ones([4, 2]), tf.ones([4, 3])] as [tf.Tensor, tf.Tensor];
    await expect(
      fitOhem(model, tf.ones([4, 2]), tf.ones([4, 1]), {callbacks, verbose: 0, validationData: wrong}),
    ).rejects.toThrow('meanSquaredError: yTrue must');
    const loss = sparseCategoricalCrossentropy();
    const data = [{xs: tf.ones([4, 2]), ys: tf.fill([4, 1], 9)}];
    const softmax = sequential({layers: [layers.dense({units: 3, activation: 'softmax', inputShape: [2]})]});
    await expect(
      fitOhemDataset(softmax, [{xs: tf.ones([4, 2]), ys: tf.zeros([4, 1])}], {
        ...{loss, optimizer: 'sgd', callbacks, verbose: 0, validationData: data},
      }),
    ).rejects.toThrow(/must/);
    expect(begun).toBe(0);
  });

  describe('of a dataset', () => {
    const rows = (noteBegin = () => {}) =>
      tfd.generator(function* () {
        noteBegin();
        for (let i = 0; i < 40; i++) yield {xs: tf.tensor1d([i / 40, 1]), ys: tf.tensor1d([1])};
      });

    it.each<[string, (dataset: tfd.Dataset<tf.TensorContainer>) => tfd.Dataset<tf.TensorContainer>]>([
      ['plain', (dataset) => dataset],
      ['prefetched', (dataset) => dataset.prefetch(3)],
      ['shuffled by batches', (dataset) => dataset.shuffle(5, 's')],
    ])('begins it once an epoch and leaves no tensor: %s', async (_, extra) => {
      let begun = 0;
      const run = () =>
        fitOhemDataset(dense(), rows().batch(4) as never, {
          ...{epochs: 2, verbose: 0, select: all()},
          validationData: extra(rows(() => void begun++).batch(4) as never) as never,
        });
      await run();
      const [before, tensors] = [begun, tf.memory().numTensors];
      const model = dense();
      const own = tf.memory().numTensors - tensors;
      model.dispose();
      await run();
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(begun - before).toBe(2);
      expect(tf.memory().numTensors - tensors).toBeLessThanOrEqual(own + 1);
    });

    it('tells callbacks how many batches an epoch has, if the dataset knows', async () => {
      const seen: unknown[] = [];
      class Noting extends Callback {
        override async onTrainBegin() {
          seen.push((this as unknown as {params: {steps?: number}}).params.steps);
        }
      }
      const data = tfd.array(Array.from({length: 10}, (_, i) => ({xs: [i, 1], ys: [1]}))).batch(4);
      await fitOhemDataset(dense(), data as never, {verbose: 0, callbacks: new Noting()});
      await fitOhemDataset(dense(), [{xs: tf.ones([2, 2]), ys: tf.ones([2, 1])}], {
        verbose: 0,
        callbacks: new Noting(),
      });
      await fitOhemDataset(dense(), rows().batch(4) as never, {verbose: 0, callbacks: new Noting()});
      expect(seen).toEqual([3, 1, undefined]);
    });
  });
});

let made = 0;
class Registered extends Callback {
  constructor() {
    super();
    made++;
  }
}
registerCallbackConstructor(1, Registered);

describeOnBackends('Registered callbacks', () => {
  it('are made as in fit, for their verbosity', async () => {
    const [x, y] = [tf.ones([4, 2]), tf.ones([4, 1])];
    const write = process.stdout.write;
    process.stdout.write = () => true;
    try {
      made = 0;
      await fitOhem(dense(), x, y, {verbose: 1});
      expect(made).toBe(1);
      await fitOhem(dense(), x, y, {verbose: 0});
      expect(made).toBe(1);
      await dense().fit(x, y, {verbose: 1});
      expect(made).toBe(2);
    } finally {
      process.stdout.write = write;
    }
  });
});
