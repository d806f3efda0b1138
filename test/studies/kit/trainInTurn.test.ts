import {expect, it} from 'vitest';
import {type Learner, type TurnOptions, type TurnRecord, trainInTurn} from '../../../studies/kit/trainInTurn';

/** A learner that learns nothing, and writes down what happens to it. */
const actor = (name: string, log: string[], kept = 1): Learner<number, {steps: number}> => {
  let steps = 0;
  return {
    name,
    step: async (batch) => {
      log.push(`${name} ${batch}`);
      steps++;
      return kept * batch;
    },
    setLearningRate: (rate) => void log.push(`${name} by ${rate}`),
    measure: async () => ({steps}),
    dispose: () => void log.push(`${name} gone`),
  };
};

const options = (log: string[], more: Partial<TurnOptions<number>> = {}): TurnOptions<number> => ({
  steps: 5,
  measureEvery: 2,
  batchOf: (step) => 10 * (step + 1),
  disposeBatch: (batch) => void log.push(`${batch} gone`),
  rateOf: (step) => step / 10,
  ...more,
});

async function whole<Quality>(training: AsyncGenerator<number, TurnRecord<Quality>[], undefined>) {
  const shares: number[] = [];
  for (;;) {
    const {done, value} = await training.next();
    if (done) return {shares, records: value};
    shares.push(value);
  }
}

it('trainInTurn gives every learner the same batch and rate, one after the other', async () => {
  const log: string[] = [];
  await whole(trainInTurn([() => actor('a', log), () => actor('b', log)], options(log, {steps: 2})));
  expect(log).toEqual([
    ...['a by 0', 'a 10', 'b by 0', 'b 10', '10 gone'],
    ...['a by 0.1', 'a 20', 'b by 0.1', 'b 20', '20 gone'],
    ...['a gone', 'b gone'],
  ]);
});

it('trainInTurn measures every few steps and after the last, with the mean of what was kept in between', async () => {
  const {records, shares} = await whole(trainInTurn([() => actor('a', []), () => actor('b', [], 2)], options([])));
  expect(records.map(({name, measuredAt, quality, kept}) => ({name, measuredAt, quality, kept}))).toEqual([
    {name: 'a', measuredAt: [2, 4, 5], quality: [{steps: 2}, {steps: 4}, {steps: 5}], kept: [15, 35, 50]},
    {name: 'b', measuredAt: [2, 4, 5], quality: [{steps: 2}, {steps: 4}, {steps: 5}], kept: [30, 70, 100]},
  ]);
  for (const {msPerStep} of records) expect(msPerStep).toBeGreaterThanOrEqual(0);
  expect(shares).toEqual(Array.from({length: 10}, (_, turn) => (turn + 1) / 10));
});

it('trainInTurn disposes batch and learners if it is left, or a learner cannot be built', async () => {
  const log: string[] = [];
  const training = trainInTurn([() => actor('a', log), () => actor('b', log)], options(log));
  await training.next();
  await training.return([]);
  expect(log.slice(-3)).toEqual(['10 gone', 'a gone', 'b gone']);
  log.length = 0;
  const fail = () => {
    throw new Error('no memory');
  };
  await expect(whole(trainInTurn([() => actor('a', log), fail], options(log)))).rejects.toThrow('no memory');
  expect(log).toEqual(['a gone']);
});
