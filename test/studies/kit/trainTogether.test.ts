import '@tensorflow/tfjs-backend-wasm';
import {argMax, memory, setBackend, type Tensor1D, type Tensor2D, train} from '@tensorflow/tfjs-core';
import {topKPerGroup} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {rowStream} from '../../../examples/mnist/experiment/batches';
import {parseRuns} from '../../../examples/mnist/experiment/runs';
import {trainRun} from '../../../examples/mnist/experiment/trainRun';
import {type Arm, type ArmRecord, secondsAt, trainTogether} from '../../../studies/kit/trainTogether';
import {tinyDigits, tinySettings} from '../../examples/mnist/experiment/tinyDigits';

const digits = tinyDigits();
const options = {learningRate: 0.01, seed: 1, measureEvery: 2};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

/** Trains to the end. */
async function together(arms: Arm[], steps: number, more: {pictureEvery?: number} = {}): Promise<ArmRecord[]> {
  const training = trainTogether(arms, digits, {...options, steps, ...more});
  for (;;) {
    const {done, value} = await training.next();
    if (done) return value;
  }
}

const ARMS = parseRuns('8/8,8/4,8/4-random');

/** All but what is never the same. */
const withoutTimes = (records: ArmRecord[]) => records.map(({seconds: _, msPerStep: __, ...rest}) => rest);

describe('trainTogether', () => {
  it('trains every arm as it would be trained alone', async () => {
    const records = await together(ARMS, 5);
    for (const [index, run] of ARMS.entries()) {
      let losses: number[] = [];
      for await (const {result} of trainRun(run, digits, tinySettings({steps: 5}))) losses = result.selectedLoss;
      expect(records[index]?.firstLosses).toEqual(losses);
      expect(records[index]?.losses).toEqual([Number((losses.reduce((sum, loss) => sum + loss) / 5).toFixed(4))]);
    }
  });

  it('is the beginning of a longer training', async () => {
    const [short, long] = [await together(ARMS, 4, {pictureEvery: 2}), await together(ARMS, 8, {pictureEvery: 2})];
    short.forEach(({firstLosses, measuredAt, testAccuracy, histograms}, index) => {
      const longer = long[index] as ArmRecord;
      expect(longer.firstLosses.slice(0, 4)).toEqual(firstLosses);
      expect(longer.measuredAt.slice(0, 3)).toEqual(measuredAt);
      expect(longer.testAccuracy.slice(0, 3)).toEqual(testAccuracy);
      expect(longer.histograms?.slice(0, 3)).toEqual(histograms);
    });
  });

  it('measures every so often and at the end, and counts losses only if requested, of mined rows', async () => {
    const [whole, , random] = await together(ARMS, 5, {pictureEvery: 3});
    expect(whole?.measuredAt).toEqual([0, 2, 4, 5]);
    expect(whole?.seconds).toHaveLength(4);
    expect(whole?.histograms?.map(({step}) => step)).toEqual([1, 3, 5]);
    expect(random?.histograms).toBeUndefined();
    expect((await together(ARMS, 2))[0]?.histograms).toBeUndefined();
  });

  it('lets an arm do things in another way', async () => {
    const [arm] = ARMS as [Arm];
    const seeds: number[] = [];
    const variant: Arm['variant'] = (seed) => {
      seeds.push(seed);
      return {step: {reduction: 'mean'}};
    };
    const [sum, mean] = await together([arm, {...arm, name: 'mean', variant}], 3);
    expect(seeds).toEqual([1]);
    expect(mean?.firstLosses[0]).toBe(sum?.firstLosses[0]);
    expect(mean?.firstLosses[2]).not.toBe(sum?.firstLosses[2]);
  });

  it('lets an arm have an optimizer of its own and tell its selector of the labels, and disposes both', async () => {
    const [arm] = parseRuns('8/4') as [Arm];
    const before = memory().numTensors;
    const groups: number[][] = [];
    const rowContext = (ys: Tensor2D) => {
      const group = argMax(ys, 1) as Tensor1D;
      groups.push([...group.dataSync()]);
      return {group};
    };
    const variant = () => ({optimizer: train.adam, rowContext, step: {select: topKPerGroup({k: 1})}});
    const [plain, other] = await together([arm, {...arm, name: 'other', variant}], 2);
    const labels = [...rowStream(digits.train.count, 1).rowsAt(0, 8)].map((row) => digits.train.labels[row]);
    expect(groups[0]).toEqual(labels);
    expect(other?.firstLosses).not.toEqual(plain?.firstLosses);
    expect(memory().numTensors).toBe(before);
  });

  it('yields the share that is done, and disposes everything where it is left early', async () => {
    const before = memory().numTensors;
    const shares: number[] = [];
    for await (const share of trainTogether(ARMS, digits, {...options, steps: 2})) {
      shares.push(share);
      if (shares.length === 4) break;
    }
    expect(shares).toEqual([1 / 6, 2 / 6, 3 / 6, 4 / 6]);
    expect(memory().numTensors).toBe(before);
    expect(withoutTimes(await together(ARMS, 2))).toEqual(withoutTimes(await together(ARMS, 2)));
    expect(memory().numTensors).toBe(before);
  });
});

describe('secondsAt', () => {
  it('takes every step for the median', () => {
    const record = {measuredAt: [0, 50, 100], msPerStep: 80} as ArmRecord;
    expect(secondsAt(record)).toEqual([0, 4, 8]);
  });
});
