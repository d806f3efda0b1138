import '../../support/backends';
import {earlyStopped, infoBatch, kakurenbo, type RowScores, type Sampler} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {fromJson} from '../../../src/trainers/checkpoint/plainData';
import {rowsOfEpoch} from '../../../src/trainers/fit/rowsOfEpoch';

const SIZE = 20_000;

/** The bytes of all typed arrays in some values. */
const bytesOf = (value: unknown): number => {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + bytesOf(part), 0);
};

describe('The rows of an epoch', () => {
  it.each<[string, () => Sampler, number]>([
    ['infoBatch', infoBatch, 16],
    ['kakurenbo', kakurenbo, 16],
    ['earlyStopped', earlyStopped, 12],
  ])('take few bytes a row in main memory while they are trained on, by %s', (_, make, most) => {
    const rows = rowsOfEpoch({where: 'fitOhem', sampler: make(), size: SIZE, seed: 1, epochs: 10, isShuffled: true});
    rows.begin({epoch: 0, batch: 0, step: 0});
    const {losses, correct, confidence} = rows.scores;
    for (let row = 0; row < SIZE; row++) losses[row] = (row * 7919) % SIZE;
    correct?.fill(1);
    confidence?.fill(1);
    rows.end({epoch: 0, batch: 0, step: 0}, SIZE);
    rows.begin({epoch: 1, batch: 0, step: 0});
    const {chosen} = rows.current();
    expect(chosen.rows.length).toBeGreaterThan(SIZE / 2);
    expect(bytesOf([rows.scores, chosen, rows.toTrainOn().order]) / SIZE).toBeLessThanOrEqual(most);
  });

  it('are not chosen again in the middle of an epoch', () => {
    let asked = 0;
    const sampler: Sampler = {
      samplerName: 'counting',
      init: () => 0,
      choose: () => ({rows: Int32Array.of(asked++)}),
      next: (state) => state,
    };
    const rows = rowsOfEpoch({where: 'fitOhem', sampler, size: 9, seed: 1, epochs: 10, isShuffled: false});
    rows.begin({epoch: 0, batch: 0, step: 0});
    rows.begin({epoch: 0, batch: 2, step: 2});
    expect([...rows.toTrainOn().rows]).toEqual([0]);
    rows.end({epoch: 0, batch: 3, step: 3}, 1);
    rows.begin({epoch: 1, batch: 0, step: 3});
    expect([...rows.toTrainOn().rows]).toEqual([1]);
  });

  it('leave the scores of the trainer alone if the sampler keeps or overwrites what it is shown', () => {
    const kept: RowScores[] = [];
    const sampler: Sampler = {
      samplerName: 'keeping',
      needs: ['correct', 'confidence'],
      init: () => 0,
      choose(_, {scores}) {
        kept.push(scores);
        for (const part of Object.values(scores) as Float32Array[]) part.fill(7);
        return {rows: Int32Array.of(0)};
      },
      next: (_, {scores}) => scores,
    };
    const rows = rowsOfEpoch({where: 'fitOhem', sampler, size: 3, seed: 1, epochs: 10, isShuffled: false});
    rows.begin({epoch: 0, batch: 0, step: 0});
    expect([...rows.scores.losses, ...(rows.scores.correct ?? [])]).toEqual([NaN, NaN, NaN, 0, 0, 0]);
    rows.scores.losses.set([1, 2, 3]);
    rows.end({epoch: 0, batch: 1, step: 1}, 1);
    rows.scores.losses.fill(9);
    expect([...(kept[0] as RowScores).losses]).toEqual([7, 7, 7]);
    const {state} = fromJson(rows.save()) as {state: RowScores};
    expect([...state.losses]).toEqual([1, 2, 3]);
  });
});
