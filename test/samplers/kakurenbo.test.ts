/** @file KAKURENBO by hand, and against its authors' code: 10 cases. */
import {kakurenbo} from 'ohem-tfjs/samplers';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/kakurenbo.json';

type Options = Parameters<typeof kakurenbo>[0];

interface Rows {
  loss: number[];
  correct?: number[];
  confidence?: number[];
}

function chosenOf({loss, correct, confidence}: Rows, options?: Options, {epoch = 1, epochs = 200} = {}) {
  const sampler = kakurenbo(options);
  const scores = {
    losses: Float32Array.from(loss),
    ...(correct && {correct: Uint8Array.from(correct)}),
    ...(confidence && {confidence: Float32Array.from(confidence)}),
  };
  return sampler.choose(sampler.init(loss.length), {epoch, epochs, seed: 0, scores});
}
const hiddenOf = (...args: Parameters<typeof chosenOf>) => Array.from(chosenOf(...args).rescore ?? []);

/**
 * Ten rows, of which all are known well but the one that is wrong, 2, and the one without
 * confidence, 1.
 */
const TEN: Rows = {
  loss: [0.01, 0.02, 0.03, 0.04, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  correct: [1, 1, 0, 1, 1, 1, 1, 1, 1, 1],
  confidence: [0.99, 0.6, 0.97, 0.96, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9],
};
const LEARNED: Rows = {...TEN, correct: new Array(10).fill(1), confidence: new Array(10).fill(1)};

describe('kakurenbo', () => {
  it('hides the rows with the smallest losses that are classified correctly and with confidence', () => {
    const chosen = chosenOf(TEN, {fraction: 0.4});
    expect(Array.from(chosen.rescore ?? [])).toEqual([0, 3]);
    expect(Array.from(chosen.rows)).toEqual([1, 2, 4, 5, 6, 7, 8, 9]);
    // By the share that is hidden, 0.2, and not by 0.4.
    expect(chosen.learningRateFactor).toBeCloseTo(1 / (1 - 0.2), 12);
  });

  it('hides fewer of them as the run proceeds', () => {
    const countAt = (epoch: number, options?: Options) =>
      hiddenOf({...LEARNED, loss: LEARNED.loss}, {fraction: 0.5, ...options}, {epoch, epochs: 10}).length;
    expect([0, 2, 3, 5, 6, 7, 8, 9].map((epoch) => countAt(epoch))).toEqual([5, 5, 4, 4, 3, 3, 2, 2]);
    expect([0, 4, 5, 9].map((epoch) => countAt(epoch, {decay: [[0.5, 0.2]]}))).toEqual([5, 5, 1, 1]);
    expect(countAt(3, {decay: []})).toBe(5);
  });

  it('hides nothing, and leaves the rate, in the first epoch', () => {
    const unseen = {loss: new Array(4).fill(Number.NaN), correct: [0, 0, 0, 0], confidence: [0, 0, 0, 0]};
    expect(chosenOf(unseen, {}, {epoch: 0})).toEqual({rows: Int32Array.of(0, 1, 2, 3)});
  });

  it('goes by the losses alone without a confidence, for a model without classes', () => {
    expect(kakurenbo().needs).toEqual(['correct', 'confidence']);
    expect(kakurenbo({confidence: null}).needs).toBeUndefined();
    expect(hiddenOf({loss: TEN.loss}, {fraction: 0.4, confidence: null})).toEqual([0, 1, 2, 3]);
  });

  it('leaves the rate with scaleLearningRate: false', () => {
    expect(chosenOf(TEN, {fraction: 0.4, scaleLearningRate: false})).not.toHaveProperty('learningRateFactor');
  });

  it('takes a probability for as large as its float32', () => {
    const rows = {loss: [1, 2], correct: [1, 1], confidence: [0.7, 0.7]};
    expect(hiddenOf(rows, {fraction: 0.5, confidence: 0.7})).toEqual([0]);
  });

  it('has all rows at the end with delta', () => {
    expect(hiddenOf(LEARNED, {delta: 0.5}, {epoch: 4, epochs: 10})).toHaveLength(2);
    expect(chosenOf(LEARNED, {delta: 0.5}, {epoch: 5, epochs: 10})).toEqual({
      rows: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    });
  });

  it('refuses options that are none', () => {
    for (const fraction of [0, 1, 1.2]) {
      expect(() => kakurenbo({fraction})).toThrow(
        new RangeError(`kakurenbo: fraction must be in (0, 1), got ${fraction}.`),
      );
    }
    expect(() => kakurenbo({confidence: 70})).toThrow(
      new RangeError('kakurenbo: confidence must be in [0, 1], got 70.'),
    );
    expect(() => kakurenbo({scaleLearningRate: 'no' as never})).toThrow(
      new TypeError('kakurenbo: scaleLearningRate must be true or false, got no.'),
    );
    expect(() => kakurenbo({decay: [0, 1] as never})).toThrow(
      new TypeError(
        'kakurenbo: decay must be a list of pairs [share of the run, factor], got [0, 1]. Pass [[0, 1], [0.5, 0.5]].',
      ),
    );
    const twice = [
      [0, 1],
      [0, 0.5],
    ] as const;
    expect(() => kakurenbo({decay: twice})).toThrow(
      new RangeError('kakurenbo: decay[1][0] must be above the previous share, 0, got 0.'),
    );
    expect(() => kakurenbo({decay: [[60, 1]]})).toThrow(
      new RangeError('kakurenbo: decay[0][0] must be in [0, 1), got 60.'),
    );
    expect(() => kakurenbo({decay: [[0, 2]]})).toThrow(
      new RangeError('kakurenbo: decay[0][1] must be in [0, 1], got 2.'),
    );
  });
});

interface OracleEpoch {
  epoch: number;
  hidden_peer: number[];
  hidden_over_classes: number[];
  candidates_in_loss_order: number[];
  real_fraction_over_classes: number;
}

interface Case {
  name: string;
  params: {fraction: number; confidence: number};
  loss: number[];
  correct: number[];
  confidence_over_classes: number[];
  confidence_over_batch_peer: number[];
  epochs: OracleEpoch[];
}

const cases = oracle.cases as unknown as Case[];
/** Nothing to hide, which is refused here. */
const isRefused = ({params}: Case) => params.fraction === 0;

describe('The cases of KAKURENBO', () => {
  it('are all there', () => {
    expect(cases).toHaveLength(oracle.n_cases);
    expect(cases.filter(isRefused)).toHaveLength(1);
  });

  it('hide far less by the confidence of their code, a softmax over the batch', () => {
    const [peers, ours] = (['hidden_peer', 'hidden_over_classes'] as const).map((name) =>
      cases.flatMap(({epochs}) => epochs).reduce((sum, epoch) => sum + epoch[name].length, 0),
    ) as [number, number];
    expect(peers).toBeLessThan(ours / 3);
  });
});

describe.each(cases.filter((one) => !isRefused(one)))('kakurenbo in the case $name', (one) => {
  const {loss, correct, params} = one;
  const options = {fraction: params.fraction, confidence: params.confidence};

  it.each(one.epochs.map((epoch) => [epoch.epoch, epoch] as const))('has the hidden rows of epoch %d', (epoch, at) => {
    const chosen = chosenOf({loss, correct, confidence: one.confidence_over_classes}, options, {epoch});
    const hidden = Array.from(chosen.rescore ?? []);
    expect(hidden).toEqual(at.hidden_over_classes);
    expect(1 / (chosen.learningRateFactor ?? 1)).toBeCloseTo(1 - at.real_fraction_over_classes, 6);
    const byBatch = {loss, correct, confidence: one.confidence_over_batch_peer};
    expect(hiddenOf(byBatch, options, {epoch})).toEqual(at.hidden_peer);
    const candidates = [...at.candidates_in_loss_order].sort((a, b) => a - b);
    expect(hiddenOf({loss}, {...options, confidence: null}, {epoch})).toEqual(candidates);
  });
});
