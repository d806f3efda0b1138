import {setBackend} from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import {beforeAll, describe, expect, it} from 'vitest';
import {drawDigits} from '../../../examples/mnist/data/drawnDigits';
import type {OrderedRecord} from '../../../studies/ordered/record';
import {orderedStudy} from '../../../studies/ordered/study';
import type {SgdOptions, Trainee} from '../../../studies/ordered/trainee';

const digits = {train: drawDigits({count: 130, seed: 1}), test: drawDigits({count: 10, seed: 2})};
const STEPS_PER_EPOCH = Math.ceil(digits.train.count / 64);

interface Diary {
  rates: number[];
  states: unknown[];
  rows: number[];
  isDisposed: boolean;
}

/**
 * Trainees that learn nothing, have a given accuracy in each epoch, and write down what
 * happens to them.
 */
function actors(accuracies: number[]) {
  const order: number[] = [];
  const diaries: Diary[] = [];
  const make = ({learningRate}: SgdOptions): Trainee => {
    const diary: Diary = {rates: [], states: [], rows: [], isDisposed: false};
    const index = diaries.push(diary) - 1;
    let rate = learningRate;
    let epoch = 0;
    return {
      step: (_, rows, state) => {
        order.push(index);
        diary.rates.push(rate);
        diary.states.push(state);
        diary.rows.push(...rows.dataSync());
      },
      accuracy: async (_, as) => (as === 'in use' ? 0.9 : (accuracies[epoch++] as number)),
      setLearningRate: (to) => {
        rate = to;
      },
      dispose: () => {
        diary.isDisposed = true;
      },
    };
  };
  return {make, diaries, order};
}

const studyOf = (make: (options: SgdOptions) => Trainee, epochs: number) =>
  orderedStudy({name: 'acted', about: '', seeds: 1, epochs, model: 'actors', errors: {from: 0, to: 1}, make});

async function recordsOf(make: (options: SgdOptions) => Trainee, epochs: number): Promise<OrderedRecord[]> {
  const study = studyOf(make, epochs);
  const training = study.train(1, digits, study.settings(epochs));
  for (;;) {
    const {done, value} = await training.next();
    if (done) return value;
  }
}

/** Of each epoch, since they are the same at all of its steps. */
const byEpoch = <Value>(values: Value[]) => values.filter((_, step) => step % STEPS_PER_EPOCH === 0);

beforeAll(() => setBackend('cpu'));

describe('orderedStudy', () => {
  it('lets the learning rate fall before epochs 10 and 50, and once behind a training accuracy of 99.5 %', async () => {
    const {make, diaries} = actors(Array.from({length: 50}, (_, epoch) => (epoch === 2 || epoch === 5 ? 0.996 : 0.9)));
    await recordsOf(make, 50);
    for (const {rates} of diaries) {
      const rate = byEpoch(rates);
      expect(rate.map((value) => Number(value.toPrecision(3)))).toEqual([
        ...Array(3).fill(0.01),
        ...Array(6).fill(0.001),
        ...Array(40).fill(0.0001),
        0.00001,
      ]);
    }
  });

  it('keeps fewer rows as the training accuracy rises, from the next epoch on, by Ordered SGD alone', async () => {
    const {make, diaries} = actors([0.5, 0.85, 0.96, 0.92]);
    const [sgd, ordered] = await recordsOf(make, 4);
    expect(sgd?.kept).toEqual([64, 64, 64, 64]);
    expect(ordered?.kept).toEqual([64, 64, 32, 8]);
    expect(byEpoch(diaries[0]?.states ?? [])).toEqual([undefined, undefined, undefined, undefined]);
    expect(byEpoch(diaries[1]?.states ?? [])).toEqual([1, 1, 2, 8].map((divisor) => ({divisor})));
    expect(ordered?.trainError).toEqual([0.5, 0.15, 0.04, 0.08]);
    expect(ordered?.testError).toEqual([0.1, 0.1, 0.1, 0.1]);
    expect(ordered?.msPerStep).toHaveLength(4);
  });

  it('takes steps in turn, of the same rows, each of them once an epoch', async () => {
    const {make, diaries, order} = actors([0.5, 0.5]);
    await recordsOf(make, 2);
    expect(order).toEqual(Array.from({length: 4 * STEPS_PER_EPOCH}, (_, step) => step % 2));
    const [one, other] = diaries.map(({rows}) => rows);
    expect(one).toEqual(other);
    expect(one?.slice(0, digits.train.count).sort((a, b) => a - b)).toEqual(
      Array.from({length: digits.train.count}, (_, row) => row),
    );
    expect(diaries.every(({isDisposed}) => isDisposed)).toBe(true);
  });

  it('disposes all that it made when it is left early', async () => {
    const {make, diaries} = actors([0.5]);
    const study = studyOf(make, 1);
    const training = study.train(1, digits, study.settings(1));
    await training.next();
    await training.return([]);
    expect(diaries.map(({isDisposed}) => isDisposed)).toEqual([true, true]);
  });
});
