import '@tensorflow/tfjs-backend-wasm';
import {dispose, memory, oneHot, randomUniform, setBackend, type Tensor2D, tensor1d} from '@tensorflow/tfjs-core';
import {topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {leNet} from '../../../studies/ordered/leNet';
import type {TensorSet} from '../../../studies/ordered/trainee';

const OPTIONS = {learningRate: 0.02, momentum: 0.9, weightDecay: 1e-4};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

function sixImages(): TensorSet {
  const labels = tensor1d([0, 1, 2, 3, 4, 5], 'int32');
  const set = {xs: randomUniform([6, 784], 0, 1, 'float32', 7) as Tensor2D, ys: oneHot(labels, 10) as Tensor2D};
  labels.dispose();
  return set;
}

/**
 * How often it is right on what it was trained on, with the masks of dropout after as many steps.
 */
async function trained(set: TensorSet, seed: number, steps: number) {
  const model = leNet({...OPTIONS, seed, select: topK({k: 4})});
  const rows = tensor1d([0, 1, 2, 3, 4, 5], 'int32');
  for (let step = 0; step < steps; step++) model.step(set, rows);
  const accuracies = [await model.accuracy(set, 'in use')];
  for (let draw = 0; draw < 4; draw++) accuracies.push(await model.accuracy(set, 'in training'));
  model.dispose();
  rows.dispose();
  return accuracies;
}

describe('leNet', () => {
  it('learns six images by heart from the four hardest of each step, and leaves nothing behind', async () => {
    const set = sixImages();
    const before = memory().numTensors;
    const [inUse] = await trained(set, 1, 60);
    expect(inUse).toBe(1);
    // tfjs does not dispose the momentum of its optimizer, a scalar.
    expect(memory().numTensors - before).toBe(1);
    dispose([set.xs, set.ys]);
  });

  it('is the same for the same seed, dropout included, and another for another', async () => {
    const set = sixImages();
    const [first, again, other] = [await trained(set, 1, 6), await trained(set, 1, 6), await trained(set, 2, 6)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    dispose([set.xs, set.ys]);
  });
});
