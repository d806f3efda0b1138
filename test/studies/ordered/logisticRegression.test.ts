import '@tensorflow/tfjs-backend-wasm';
import {dispose, memory, setBackend, tensor1d, tensor2d, train} from '@tensorflow/tfjs-core';
import {layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, ohemStep, type Selector, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {logisticRegression} from '../../../studies/ordered/logisticRegression';
import type {TensorSet} from '../../../studies/ordered/trainee';

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

const [ROWS, INPUTS, CLASSES] = [12, 5, 3];
const OPTIONS = {seed: 3, learningRate: 0.1, momentum: 0.9, weightDecay: 0.05};

function tinySet(): TensorSet {
  const xs = Array.from({length: ROWS * INPUTS}, (_, i) => Math.sin(7 * i));
  const ys = Array.from({length: ROWS * CLASSES}, (_, i) =>
    i % CLASSES === Math.floor(i / CLASSES) % CLASSES ? 1 : 0,
  );
  return {xs: tensor2d(xs, [ROWS, INPUTS]), ys: tensor2d(ys, [ROWS, CLASSES])};
}

/**
 * The same network in tfjs-layers, with an L2 regulariser of half the decay: its gradient is decay
 * · w.
 */
function asLayers(select: Selector) {
  const decay = () => regularizers.l2({l2: OPTIONS.weightDecay / 2});
  const dense = layers.dense({
    inputShape: [INPUTS],
    units: CLASSES,
    kernelRegularizer: decay(),
    biasRegularizer: decay(),
  });
  const model = sequential({layers: [dense]});
  const optimizer = train.momentum(OPTIONS.learningRate, OPTIONS.momentum);
  const step = ohemStep(model, {loss: categoricalCrossentropy({fromLogits: true}), select, optimizer});
  return {model, step};
}

describe('logisticRegression', () => {
  it.each([
    ['all rows', all()],
    ['the hardest', topK({k: 4})],
  ])('takes the steps that ohemStep takes, of %s', async (_, select) => {
    const set = tinySet();
    const own = logisticRegression({...OPTIONS, select}, [INPUTS, CLASSES]);
    const {model, step} = asLayers(select);
    model.setWeights([own.weights, own.bias]);
    const rows = tensor1d(
      Array.from({length: ROWS}, (_, row) => row),
      'int32',
    );
    for (let taken = 0; taken < 6; taken++) {
      own.step(set, rows);
      step(set.xs, set.ys).dispose();
    }
    for (const [index, variable] of [own.weights, own.bias].entries()) {
      const values = [...variable.dataSync()];
      const others = [...(model.getWeights()[index]?.dataSync() ?? [])];
      expect(others).toHaveLength(values.length);
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(others[i] as number, 5);
      });
    }
    dispose([set.xs, set.ys, rows]);
  });

  it('draws first weights as PyTorch does, the same for the same seed', () => {
    const models = [3, 3, 4].map((seed) => logisticRegression({...OPTIONS, seed, select: all()}));
    const [first, again, other] = models.map(({weights}) => [...weights.dataSync()]) as [number[], number[], number[]];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    const largest = Math.max(...first.map(Math.abs));
    expect(largest).toBeLessThanOrEqual(1 / 28);
    expect(largest).toBeGreaterThan(0.99 / 28);
    for (const model of models) model.dispose();
  });

  it('counts what it classifies rightly, takes another learning rate, and disposes what it made', async () => {
    const before = memory().numTensors;
    const set = tinySet();
    const model = logisticRegression({...OPTIONS, select: all()}, [INPUTS, CLASSES]);
    model.weights.assign(tensor2d(new Float32Array(INPUTS * CLASSES), [INPUTS, CLASSES]));
    model.bias.assign(tensor1d([0, 1, 0]));
    expect(await model.accuracy(set, 'in use')).toBeCloseTo(1 / 3, 6);
    model.setLearningRate(0);
    const rows = tensor1d([0, 1, 2], 'int32');
    model.step(set, rows);
    expect([...model.bias.dataSync()]).toEqual([0, 1, 0]);
    model.dispose();
    dispose([set.xs, set.ys, rows]);
    // The two that were assigned are this test's; tfjs does not dispose the momentum of its
    // optimizer, a scalar.
    expect(memory().numTensors - before).toBe(3);
  });
});
