import '@tensorflow/tfjs-backend-wasm';
import {memory, setBackend, train} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {parseRuns} from '../../../examples/mnist/experiment/runs';
import type {Parts, Shelf} from '../../../studies/kit/parts';
import {trainTogether} from '../../../studies/kit/trainTogether';
import type {TunedSeed} from '../../../studies/tuned/record';
import {type TunedSettings, tuned} from '../../../studies/tuned/study';
import {tinyDigits} from '../../examples/mnist/experiment/tinyDigits';
import {expectClose} from '../../support/close';

const digits = tinyDigits();
const settings: TunedSettings = {
  ...(tuned.settings(2) as TunedSettings),
  measureEvery: 2,
  rates: {sgd: [0.05, 0.2], adam: [0.001]},
  runs: ['8/8', '8/4 random'],
};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

/** A shelf in memory, with a log of what it found and kept. */
function shelfOf(kept: Map<string, unknown>, log: string[]): Shelf {
  return {
    async find<Part>(name: string) {
      if (kept.has(name)) log.push(`found ${name}`);
      return kept.get(name) as Part | undefined;
    },
    async keep(name, content) {
      log.push(`kept ${name}`);
      kept.set(name, JSON.parse(JSON.stringify(content)));
    },
  };
}

/** Trains a seed, or leaves it in the middle, as a kill would. */
async function trained(seed: number, parts?: Parts, until = () => false): Promise<TunedSeed | undefined> {
  const training = tuned.train(seed, digits, settings, parts);
  for (;;) {
    const {done, value} = await training.next();
    if (done) return value;
    if (until()) {
      await training.return(undefined as unknown as TunedSeed);
      return undefined;
    }
  }
}

/** All but what is never the same. */
const withoutTimes = ({sweeps, arms}: TunedSeed) => ({
  sweeps,
  arms: arms.map(({seconds: _, msPerStep: __, ...rest}) => rest),
});

describe('The study of tuned rates', () => {
  it('gives the same seed again if it was killed on the way, each run at the rate of its sweep', async () => {
    const before = memory().numTensors;
    const whole = (await trained(1)) as TunedSeed;
    expect(memory().numTensors).toBe(before);
    expect(whole.arms.map(({optimizer, name}) => `${optimizer} ${name}`)).toEqual([
      ...['sgd 8/8', 'sgd 8/4 random', 'adam 8/8', 'adam 8/4 random'],
    ]);
    expect(whole.arms.map(({learningRate}) => learningRate)).toEqual(whole.sweeps.map(({best}) => best));
    expect(whole.arms.every(({msPerStep}) => msPerStep > 0)).toBe(true);

    const rates = whole.sweeps.map(({best}) => best);
    const log: string[] = [];
    const [ofStudy, ofSeed] = [new Map<string, unknown>(), new Map<string, unknown>()];
    const parts = {ofStudy: shelfOf(ofStudy, log), ofSeed: shelfOf(ofSeed, log)};
    expect(await trained(1, parts, () => ofSeed.size === 2)).toBeUndefined();
    expect(log).toEqual([
      ...['sgd-8-8', 'sgd-8-4-random', 'adam-8-8', 'adam-8-4-random'].flatMap((name) => [
        `kept sweep-${name}`,
        `kept climb-${name}`,
      ]),
      ...['kept times', `kept arm-${rates[0]}-sgd-8-8`],
    ]);
    log.length = 0;
    const resumed = (await trained(1, parts)) as TunedSeed;
    expect(log.filter((line) => line.startsWith('kept'))).toEqual(
      ['sgd-8-4-random', 'adam-8-8', 'adam-8-4-random'].map((name, i) => `kept arm-${rates[i + 1]}-${name}`),
    );
    expect(withoutTimes(resumed)).toEqual(withoutTimes(whole));

    log.length = 0;
    const other = (await trained(2, {...parts, ofSeed: shelfOf(new Map(), log)})) as TunedSeed;
    expect(log.filter((line) => /kept (sweep|climb)/.test(line))).toEqual([]);
    expect(other.sweeps).toEqual(whole.sweeps);
    expect(other.arms[0]?.firstLosses).not.toEqual(whole.arms[0]?.firstLosses);
    expect(memory().numTensors).toBe(before);
  });
});

describe('The reduction', () => {
  /** Losses of some steps by an optimizer and a reduction. */
  async function losses(text: string, optimizer: 'sgd' | 'adam', reduction: 'mean' | 'sum', learningRate: number) {
    const [run] = parseRuns(text) as [ReturnType<typeof parseRuns>[number]];
    const variant = () => ({step: {reduction}, optimizer: train[optimizer]});
    const training = trainTogether([{...run, variant}], digits, {steps: 8, seed: 1, learningRate, measureEvery: 8});
    for (;;) {
      const {done, value} = await training.next();
      if (done) return value[0]?.firstLosses as number[];
    }
  }

  it.each(['8/8', '8/4-random'])('by sum is that by mean at a rate k times as large, for %s', async (text) => {
    const k = text === '8/8' ? 8 : 4;
    const sum = await losses(text, 'sgd', 'sum', 0.1 / k);
    // k is a power of two: not even the rounding is another.
    expect(sum).toEqual(await losses(text, 'sgd', 'mean', 0.1));
    expect(sum[0]).not.toBe(sum[7]);
  });

  it.each(['8/8', '8/3'])('does nothing to the steps of Adam, but for its epsilon, for %s', async (text) => {
    const [sum, mean] = [await losses(text, 'adam', 'sum', 0.002), await losses(text, 'adam', 'mean', 0.002)];
    expectClose(sum, mean, {absolute: 0, relative: 0.02});
    expect(sum[0]).not.toBe(sum[7]);
  });
});
