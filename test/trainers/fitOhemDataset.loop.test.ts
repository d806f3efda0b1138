import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {fitOhemDataset, type TrainingState, topK} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

describeOnBackends('fitOhemDataset({epochs: 1}) in a loop', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  function compiled() {
    const model = sequential({layers: [layers.dense({units: 1, inputShape: [3], kernelInitializer: 'ones'})]});
    model.compile({optimizer: tf.train.momentum(0.01, 0.9), loss: 'meanSquaredError'});
    return model;
  }
  const item = (place: number) => ({
    xs: tf.randomNormal([4, 3], 0, 1, 'float32', place + 1),
    ys: tf.randomNormal([4, 1], 0, 1, 'float32', place + 100),
  });
  const args = {select: topK({k: 2}), verbose: 0} as const;

  it('begins a dataset with batchesPerEpoch anew in each call, as fitDataset does', async () => {
    const model = compiled();
    const batches = Array.from({length: 3}, (_, place) => item(place));
    for (let i = 0; i < 3; i++) {
      const {history} = await fitOhemDataset(model, batches, {...args, batchesPerEpoch: 3});
      expect(history.kept).toEqual([6]);
    }
  });

  it('counts the epochs on that a function shuffles by, so that it is one call of several epochs', async () => {
    const seen: number[] = [];
    function batches(epoch: number) {
      seen.push(epoch);
      return [0, 1, 2].map((place) => item(10 * epoch + place));
    }
    const [looped, whole] = [compiled(), compiled()];
    for (let i = 0; i < 3; i++) await fitOhemDataset(looped, batches, args);
    await fitOhemDataset(whole, batches, {...args, epochs: 3});
    expect(seen).toEqual([0, 1, 2, 0, 1, 2]);
    const valuesOf = (model: typeof whole) => model.getWeights().map((weight) => [...weight.dataSync()]);
    expect(valuesOf(looped)).toEqual(valuesOf(whole));
  });

  it('asks the function for the next epoch after a call that ended within one', async () => {
    const seen: number[] = [];
    function batches(epoch: number) {
      seen.push(epoch);
      return [0, 1, 2].map((place) => item(10 * epoch + place));
    }
    const model = compiled();
    for (let i = 0; i < 3; i++) await fitOhemDataset(model, batches, {...args, budget: {rows: 4}});
    expect(seen).toEqual([0, 1, 2]);
  });

  it('passes over the batches of its own call, and no others, when it is resumed', async () => {
    const pulled: number[] = [];
    function* endless() {
      for (let place = 0; ; place++) {
        pulled.push(place);
        yield item(place);
      }
    }
    const model = compiled();
    const states: TrainingState[] = [];
    const own = {...args, batchesPerEpoch: 2, epochs: 2};
    await fitOhemDataset(model, endless, own);
    await fitOhemDataset(model, endless, {...own, checkpointEvery: 1, checkpoint: (state) => void states.push(state)});
    expect(pulled).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    pulled.length = 0;
    await fitOhemDataset(model, endless, {...own, initialState: states[2]});
    expect(states[2]).toMatchObject({step: 7, earlierSteps: 4});
    expect(pulled).toEqual([0, 1, 2, 3]);
  });
});
