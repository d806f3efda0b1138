/** @file Instance-dependent early stopping by hand, and against its authors' code: 9 cases. */
import {earlyStopped, type LossHistory} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/ies.json';

type Options = Parameters<typeof earlyStopped>[0];

const allOf = (size: number) => Int32Array.from({length: size}, (_, row) => row);

/** The rows of each next epoch if every row has a loss in training mode in each epoch. */
function rowsAfter(losses: readonly (readonly number[])[], options?: Options): number[][] {
  const sampler = earlyStopped(options);
  const size = losses[0]?.length as number;
  let state = sampler.init(size);
  return losses.map((ofEpoch, epoch) => {
    const scores = {losses: Float32Array.from(ofEpoch)};
    state = sampler.next(state, {epoch, chosen: {rows: allOf(size)}, scores});
    return Array.from(sampler.choose(state, {epoch: epoch + 1, epochs: 999, seed: 0, scores}).rows);
  });
}

/** Trains on what is chosen: losses by epoch and row, those in inference mode apart. */
function run(
  losses: readonly (readonly number[])[],
  options: Options,
  inferenceLosses: readonly (readonly number[])[] = losses,
) {
  const sampler = earlyStopped(options);
  const size = losses[0]?.length as number;
  const last = new Float32Array(size).fill(Number.NaN);
  let state = sampler.init(size);
  return losses.map((ofEpoch, epoch) => {
    const {rows, rescore = []} = sampler.choose(state, {epoch, epochs: 999, seed: 0, scores: {losses: last.slice()}});
    for (const row of rows) last[row] = ofEpoch[row] as number;
    for (const row of rescore) last[row] = inferenceLosses[epoch]?.[row] as number;
    const chosen = {rows, ...(rescore.length > 0 && {rescore: Int32Array.from(rescore)})};
    state = sampler.next(state, {epoch, chosen, scores: {losses: last.slice()}});
    return {rows: Array.from(rows), rescore: Array.from(rescore), state};
  });
}

/** The vector of a row that gets flat, beside one that does not. */
const FLAT = [2.3, 0.9, 0.3, 0.05, 0.0102, 0.0094, 0.0088, 0.0084, 0.0081];
const NOISY = [2.3, 1.9, 1.3, 1.05, 0.7, 0.9, 0.5, 0.6, 0.2];
const VECTOR = FLAT.map((loss, epoch) => [loss, NOISY[epoch] as number]);
const repeated = (epochs: number, ...losses: number[]) => Array.from({length: epochs}, () => losses);
const noise = (epoch: number) => (epoch % 2 === 0 ? 1 : 2);
const flatAndNoisy = (epochs: number) => Array.from({length: epochs}, (_, epoch) => [0.1, noise(epoch)]);

describe('earlyStopped', () => {
  it('leaves a row out once its loss has stopped to bend', () => {
    const rows = rowsAfter(VECTOR);
    expect(rows.slice(0, 8)).toEqual(repeated(8, 0, 1));
    expect(rows[8]).toEqual([1]);
  });

  it('leaves out nothing before window + 1 bends are known', () => {
    const firstLeftOut = (window: number) =>
      rowsAfter(flatAndNoisy(12), {window}).findIndex((rows) => rows.length === 1);
    // Counted from 0: the last of 6 losses, of 4, of 7.
    expect([firstLeftOut(3), firstLeftOut(1), firstLeftOut(4)]).toEqual([5, 3, 6]);
  });

  it('returns to a row whose loss bends again, also if it was the only one', () => {
    const losses = flatAndNoisy(16).map(([flat, noisy], epoch) => [epoch < 9 ? flat : noise(epoch), noisy] as number[]);
    const rows = run(losses, {window: 1}).map((epoch) => epoch.rows);
    expect(rows[8]).toEqual([1]);
    expect(rows.slice(11).flat()).toContain(0);
  });

  it('cannot tell a learned row from one that is stuck', () => {
    expect(rowsAfter(repeated(8, 4, 4).map(([stuck], epoch) => [stuck as number, noise(epoch)])).at(-1)).toEqual([1]);
  });

  it('rescores mastered rows at the end of every epoch, or of every m-th, and keeps their state in between', () => {
    const every = run(flatAndNoisy(14), {window: 1});
    expect(every.map(({rescore}) => rescore.length)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const third = run(flatAndNoisy(14), {window: 1, rescoreEvery: 3});
    expect(third.map(({rescore}) => rescore.length)).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0]);
    const ofFirst = ({losses, known, mastered}: LossHistory) => [losses.slice(0, 2), known[0], mastered[0]];
    expect(ofFirst((third[7] as {state: LossHistory}).state)).toEqual(
      ofFirst((third[6] as {state: LossHistory}).state),
    );
  });

  it('measures no bend across a switch between training and inference mode', () => {
    // With dropout a row that is known well has a loss of 0.5 in training, and 0.01 in inference
    // mode.
    const rows = run(
      flatAndNoisy(14).map(([, noisy]) => [0.5, noisy as number]),
      {window: 1},
      repeated(14, 0.01, 9),
    );
    expect(rows.slice(4).map((epoch) => epoch.rows)).toEqual(repeated(10, 1));
    // A history of both would have had a bend of 0.49 in epoch 4, and the row back in epoch 5.
    const mixed = [...repeated(4, 0.5), ...repeated(2, 0.01)].map(([flat], epoch) => [flat as number, noise(epoch)]);
    expect(rowsAfter(mixed, {window: 1})[4]).toEqual([0, 1]);
  });

  it('returns to a row after three rescored losses, unless its loss rose before the first of them', () => {
    const returnsAt = (rise: number, rescoreEvery = 1) => {
      const losses = flatAndNoisy(24).map(([flat, noisy], epoch) => [epoch < rise ? flat : 9, noisy] as number[]);
      const rows = run(losses, {window: 1, rescoreEvery}).map((epoch) => epoch.rows);
      expect(rows[4]).toEqual([1]);
      return rows.findIndex((ofEpoch, epoch) => epoch > 4 && ofEpoch.includes(0));
    };
    // Left out from epoch 4 on, and scored at its end for the first time.
    expect([returnsAt(4), returnsAt(5), returnsAt(6), returnsAt(7)]).toEqual([-1, 7, 7, 8]);
    // Scored at the ends of the epochs 5, 8 and 11.
    expect([returnsAt(5, 3), returnsAt(6, 3)]).toEqual([-1, 12]);
  });

  it('does not leave out a row whose loss is not finite, and begins anew with it', () => {
    const losses = flatAndNoisy(14).map(([flat, noisy], epoch) => [epoch === 7 ? Number.NaN : flat, noisy] as number[]);
    const rows = rowsAfter(losses, {window: 1});
    expect([6, 7, 8, 9, 10, 11].map((epoch) => rows[epoch]?.length)).toEqual([1, 2, 2, 2, 2, 1]);
  });

  it('keeps the hardest row if all are mastered', () => {
    expect(rowsAfter(repeated(9, 0.2, 0.9, 0.3, 0.9)).at(-1)).toEqual([1]);
  });

  it('has 19 bytes for each row, so that 24 hold its state and the losses', () => {
    const {size, ...arrays} = earlyStopped().init(1000);
    const bytes = Object.values(arrays).reduce((sum, array) => sum + array.byteLength, 0);
    expect([size, bytes]).toEqual([1000, 19_000]);
  });

  it('refuses options that are none', () => {
    for (const window of [0, 1.5, 101]) {
      expect(() => earlyStopped({window})).toThrow(
        new RangeError(`earlyStopped: window must be an integer from 1 to 100, got ${window}.`),
      );
    }
    expect(() => earlyStopped({threshold: 0})).toThrow(
      new RangeError('earlyStopped: threshold must be a finite number > 0, got 0.'),
    );
    expect(() => earlyStopped({rescoreEvery: 0})).toThrow(
      new RangeError('earlyStopped: rescoreEvery must be an integer >= 1, got 0.'),
    );
    expect(() => earlyStopped({delta: -1})).toThrow(new RangeError('earlyStopped: delta must be in (0, 1], got -1.'));
  });
});

interface Case {
  name: string;
  params: {n: number; epochs: number; threshold: number; window: number; k: number};
  losses_per_epoch_by_row: number[][];
  epochs: {mastered: number[]; rows_of_next_epoch: number[]}[];
}

const cases = oracle.cases as unknown as Case[];
/** Its sum over several windows is no option here. */
const isOther = ({params}: Case) => params.k !== 1;

describe('The cases of instance-dependent early stopping', () => {
  it('are all there', () => {
    expect(cases).toHaveLength(oracle.n_cases);
    expect(cases.filter(isOther)).toHaveLength(1);
  });
});

describe.each(cases.filter((one) => !isOther(one)))('earlyStopped in the case $name', (one) => {
  const {n, threshold, window} = one.params;

  it('leaves out the rows that are mastered, epoch by epoch', () => {
    const expected = one.epochs.map(({mastered}) => Array.from(allOf(n)).filter((row) => !mastered.includes(row)));
    expect(rowsAfter(one.losses_per_epoch_by_row, {threshold, window})).toEqual(expected);
  });

  it('has the rows of the next epoch, but for a set that got empty, which their code does not apply', () => {
    const rows = rowsAfter(one.losses_per_epoch_by_row, {threshold, window});
    one.epochs.forEach(({mastered, rows_of_next_epoch}, epoch) => {
      if (mastered.length > 0) expect(rows[epoch]).toEqual(rows_of_next_epoch);
      else expect(rows[epoch]).toHaveLength(n);
    });
    const isTrap = one.epochs.some((epoch) => epoch.mastered.length === 0 && epoch.rows_of_next_epoch.length < n);
    expect(isTrap).toBe(one.name === 'empty_set_keeps_old_one');
  });
});
