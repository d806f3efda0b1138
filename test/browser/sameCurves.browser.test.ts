import {getBackend, setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {drawDigits} from '../../examples/mnist/data/drawnDigits';
import {parseRuns} from '../../examples/mnist/experiment/runs';
import {trainRun} from '../../examples/mnist/experiment/trainRun';
import {BACKENDS, type BackendName} from './support/backends';

const STEPS = 50;
const settings = {steps: STEPS, learningRate: 3e-3, seed: 1, runs: ['64/48', '64/48 random']};
const digits = {train: drawDigits({count: 1000, seed: 2}), test: drawDigits({count: 100, seed: 3})};

/** The mean selected loss after each step, for each run. */
async function curves(backend: BackendName): Promise<number[][]> {
  expect(await setBackend(backend)).toBe(true);
  const lines: number[][] = [];
  for (const run of parseRuns(settings.runs.join(','))) {
    for await (const {step, result} of trainRun(run, digits, {...settings, backend})) {
      if (step === STEPS) lines.push(result.selectedLoss);
    }
  }
  expect(getBackend()).toBe(backend);
  return lines;
}

describe('the reference experiment, from the same seed over the same digits', () => {
  const byBackend = new Map<BackendName, number[][]>();
  beforeAll(async () => {
    enableWasmTraining();
    for (const backend of BACKENDS) byBackend.set(backend, await curves(backend));
  });

  it.each(BACKENDS)('has on %s the losses that it has on cpu, within 1 % at each of 50 steps', (backend) => {
    const [got, want] = [byBackend.get(backend), byBackend.get('cpu')];
    expect(want?.map((line) => line.length)).toEqual([STEPS, STEPS]);
    got?.forEach((line, run) => {
      const off = line.map((loss, step) => Math.abs(loss / (want?.[run]?.[step] as number) - 1));
      expect(Math.max(...off)).toBeLessThan(0.01);
    });
  });

  it('learns', () => {
    for (const line of byBackend.get('webgpu') ?? []) expect(line.at(-1)).toBeLessThan((line[0] as number) * 0.99);
  });
});
