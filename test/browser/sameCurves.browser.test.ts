import {dispose, setBackend, train} from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, ohemStep, randomK, type Selector, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {CLASSES, IMAGE_SIZE} from '../../examples/mnist/data/digits';
import {drawDigits} from '../../examples/mnist/data/drawnDigits';
import {imagesOf, labelsOf, rowStream} from '../../examples/mnist/experiment/batches';
import {BACKENDS, type BackendName} from './support/backends';

const STEPS = 50;
const ROWS = 64;
const SELECTORS: Record<string, Selector> = {topK: topK({ratio: 0.5}), randomK: randomK({ratio: 0.5, seed: 7})};

const digits = drawDigits({count: 1000, seed: 2});
const seeded = (seed: number) => ({kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});

/** The mean losses of the kept rows of each step. */
async function curve(select: Selector): Promise<number[]> {
  const model = sequential({
    layers: [
      layers.dense({units: 32, activation: 'sigmoid', inputShape: [IMAGE_SIZE], ...seeded(1)}),
      layers.dense({units: CLASSES, activation: 'softmax', ...seeded(2)}),
    ],
  });
  // Left to tfjs, epsilon would be 1e-4 on webgl.
  const optimizer = train.adam(0.01, 0.9, 0.999, 1e-7);
  const step = ohemStep(model, {loss: categoricalCrossentropy(), select, optimizer});
  const stream = rowStream(digits.count, 3);
  const losses: number[] = [];
  for (let taken = 0; taken < STEPS; taken++) {
    const rows = stream.rowsAt(taken * ROWS, ROWS);
    const [xs, ys] = [imagesOf(digits, rows), labelsOf(digits, rows)];
    losses.push((await step(xs, ys).read()).loss);
    dispose([xs, ys]);
  }
  model.dispose();
  return losses;
}

describe('A network that learns to read digits, from the same weights over the same digits', () => {
  const curves = new Map<BackendName, Record<string, number[]>>();
  beforeAll(async () => {
    enableWasmTraining();
    for (const backend of BACKENDS) {
      expect(await setBackend(backend)).toBe(true);
      const lines: Record<string, number[]> = {};
      for (const [name, select] of Object.entries(SELECTORS)) lines[name] = await curve(select);
      curves.set(backend, lines);
    }
  });

  it.each(BACKENDS)('has on %s the losses that it has on cpu, within 1 % at each of 50 steps', (backend) => {
    for (const name of Object.keys(SELECTORS)) {
      const [got, want] = [curves.get(backend)?.[name] ?? [], curves.get('cpu')?.[name] ?? []];
      const off = Array.from({length: STEPS}, (_, t) => Math.abs((got[t] as number) / (want[t] as number) - 1));
      expect(Math.max(...off), name).toBeLessThan(0.01);
    }
  });

  it.each(BACKENDS)('learns on %s', (backend) => {
    for (const losses of Object.values(curves.get(backend) ?? {})) {
      expect(losses.at(-1)).toBeLessThan(0.8 * (losses[0] as number));
    }
  });
});
