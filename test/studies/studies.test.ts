import '@tensorflow/tfjs-backend-wasm';
import {memory, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {drawDigits} from '../../examples/mnist/data/drawnDigits';
import {studies} from '../../studies/studies';

const digits = {train: drawDigits({count: 130, seed: 1}), test: drawDigits({count: 20, seed: 2})};

/**
 * tfjs does not dispose the momentum of its optimizer, a scalar; the models that these train with
 * it.
 */
const LEFT: Record<string, number> = {epochs: 20, 'ordered-sgd': 2, 'ordered-sgd-lenet': 2};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

/** Settings of studies that would take a while with those of their own. */
const SMALLER: Record<string, object> = {
  tuned: {rates: {sgd: [0.1, 1], adam: [0.001]}, runs: ['8/8', '8/4']},
  detection: {batchSize: 1, testScenes: 2},
  segmentation: {batchSize: 1, testScenes: 2},
};

// Those with wrong labels take 10,000 digits, and that of mails as many mails as there are.
const LARGE = ['noise', 'noise-rules', 'labels', 'epochs-mails'];
describe.each(studies.filter(({name}) => !LARGE.includes(name)))('The study $name', (study) => {
  it('trains a seed, makes a report of it, and leaves nothing behind', async () => {
    const before = memory().numTensors;
    const settings = {...study.settings(1), ...SMALLER[study.name]};
    const training = study.train(1, digits, settings);
    const shares: number[] = [];
    let turn = await training.next();
    for (; !turn.done; turn = await training.next()) shares.push(turn.value);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
    expect(JSON.parse(JSON.stringify(turn.value))).toEqual(turn.value);
    expect(Object.keys(study.report([turn.value], settings).figures).length).toBeGreaterThan(0);
    expect(memory().numTensors - before).toBe(LEFT[study.name] ?? 0);
  });
});
