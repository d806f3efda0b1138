import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {linear, type SelectionContext, type SelfPacedOptions, scheduled, selfPacedWeights} from 'ohem-tfjs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS, randomFrom} from '../support/property';
import {lossRows, marks, selected, shareOf} from '../support/selections';

const NEAR = {absolute: 1e-5, relative: 1e-5};

/** The weights in the order of the rows. */
function weightsOf(options: SelfPacedOptions, losses: readonly number[], context: SelectionContext = {}) {
  const {indices, weights} = selected(selfPacedWeights(options), losses, context);
  const ofRows = Array<number>(losses.length).fill(0);
  for (const [place, row] of indices.entries()) ofRows[row] = weights[place] as number;
  return ofRows;
}

/** The weight of a loss, in float64. */
function weightInJs(kind: SelfPacedOptions['kind'], given: number, limit: number, degree: number): number {
  const loss = Math.max(given, 0);
  if (kind === 'logistic') return limit === Infinity ? 1 : (1 + Math.exp(-limit)) / (1 + Math.exp(loss - limit));
  if (loss >= limit) return 0;
  if (kind === 'hard') return 1;
  if (kind === 'logarithmic') return Math.log(loss + 1 - limit) / Math.log(1 - limit);
  return (1 - loss / limit) ** (kind === 'polynomial' ? 1 / (degree - 1) : 1);
}

/** The smallest loss over those of the easiest share. */
function limitInJs(losses: readonly number[], valid: readonly number[], ratio: number): number {
  const finite = losses.filter((loss, row) => Number.isFinite(loss) && valid[row] === 1);
  const usable = finite.map((loss) => Math.max(loss, 0)).sort((a, b) => a - b);
  const kept = shareOf({ratio}, valid.filter((mark) => mark === 1).length);
  const largest = usable[kept - 1] ?? Number.POSITIVE_INFINITY;
  return Math.min(...usable.filter((loss) => loss > largest), Number.POSITIVE_INFINITY);
}

describeOnBackends('selfPacedWeights', () => {
  it('weighs by its formulas under a threshold', () => {
    const losses = [0, 0.25, 0.5, 2];
    expect(weightsOf({kind: 'hard', threshold: 0.5}, losses)).toEqual([1, 1, 0, 0]);
    expectClose(weightsOf({threshold: 0.5}, losses), [1, 0.5, 0, 0], NEAR);
    const logs = [1, Math.log(0.75) / Math.log(0.5), 0, 0];
    expectClose(weightsOf({kind: 'logarithmic', threshold: 0.5}, losses), logs, NEAR);
    expectClose(weightsOf({kind: 'polynomial', threshold: 0.5}, losses), [1, Math.SQRT1_2, 0, 0], NEAR);
    const logistic = losses.map((loss) => (1 + Math.exp(-0.5)) / (1 + Math.exp(loss - 0.5)));
    expectClose(weightsOf({kind: 'logistic', threshold: 0.5}, losses), logistic, NEAR);
  });

  it('weighs by logarithms also for thresholds near 0 and 1', () => {
    const logs = (threshold: number, losses: number[]) => weightsOf({kind: 'logarithmic', threshold}, losses);
    expectClose(logs(1e-9, [0, 5e-10, 2e-9]), [1, 0.5, 0], NEAR);
    expectClose(logs(0.99999999, [0, 0.5]), [1, Math.log(0.50000001) / Math.log(1e-8)], NEAR);
    for (const threshold of [1e-37, 1e-20, 1e-9, 1e-5, 0.3, 0.5, 0.6, 0.99, 0.999999, 1 - 2 ** -53]) {
      const losses = Array.from({length: 50}, (_, i) => Math.fround((threshold * i) / 45));
      const expected = losses.map((loss) => {
        const left = loss + (1 - threshold);
        const log = left > 0.5 ? Math.log1p(loss - threshold) : Math.log(left);
        return loss < threshold ? log / Math.log1p(-threshold) : 0;
      });
      expectClose(logs(threshold, losses), expected, {absolute: 1e-6, relative: 0});
    }
  });

  it('keeps what counts hardest first, and what does not last', () => {
    const {indices, weights} = selected(selfPacedWeights({kind: 'hard', threshold: 1}), [0.2, 3, 0.9, 1, 0.5]);
    expect(indices.slice(0, 3)).toEqual([2, 4, 0]);
    expect(weights).toEqual([1, 1, 1, 0, 0]);
  });

  it('finds the threshold of a ratio: the next loss behind the share, and none at 1', () => {
    const losses = [4, 1, 3, 2];
    expectClose(weightsOf({ratio: 0.5}, losses), [0, 2 / 3, 0, 1 / 3], NEAR);
    expect(weightsOf({ratio: 1}, losses)).toEqual([1, 1, 1, 1]);
    expect(weightsOf({ratio: 0.5, kind: 'hard'}, [2, 2, 2, 1])).toEqual([1, 1, 1, 1]);
    expect(weightsOf({ratio: 0.25, kind: 'polynomial'}, [7, 7, 7])).toEqual([1, 1, 1]);
  });

  it('follows a schedule, from the easy rows to all of them', () => {
    const select = scheduled(
      ({ratio}) => selfPacedWeights({ratio, kind: 'hard'}),
      linear({from: 0.25, to: 1, steps: 100}),
    );
    const keptAt = (step: number) =>
      selected(select, [4, 1, 3, 2], {step, schedule: select.schedule.init()}).weights.filter(Boolean).length;
    expect([0, 50, 100].map(keptAt)).toEqual([1, 3, 4]);
  });

  it('weighs as plain JavaScript does, from any batch', () => {
    const limits = fc.oneof(
      fc.record({threshold: fc.constantFrom(0.125, 0.5, 0.9)}),
      fc.record({ratio: fc.constantFrom(0.1, 0.5, 0.75, 1)}),
    );
    const kinds = fc.constantFrom('hard', 'linear', 'logarithmic', 'logistic', 'polynomial') as fc.Arbitrary<
      NonNullable<SelfPacedOptions['kind']>
    >;
    const property = fc.property(lossRows, limits, kinds, fc.constantFrom(2, 3, 5), fc.integer(), (...given) => {
      const [losses, limit, kind, degree, seed] = given;
      if ('ratio' in limit && kind === 'logarithmic') return;
      const random = randomFrom(seed);
      // Beyond 1e30 there is no telling a threshold from none.
      const bounded = losses.map((loss) =>
        Number.isFinite(loss) && Math.abs(loss) > 1e6 ? Math.sign(loss) * 1e6 : loss,
      );
      const valid = losses.map(() => (random() < 0.8 ? 1 : 0));
      const isUsable = (row: number) => valid[row] === 1 && Number.isFinite(bounded[row]);
      const threshold = 'ratio' in limit ? limitInJs(bounded, valid, limit.ratio) : limit.threshold;
      const expected = bounded.map((loss, row) => (isUsable(row) ? weightInJs(kind, loss, threshold, degree) : 0));
      const weights = tf.tidy(() =>
        weightsOf({...limit, kind, ...(kind === 'polynomial' && {degree})}, bounded, {valid: marks(valid)}),
      );
      expectClose(weights, expected, {absolute: 2e-5, relative: 2e-5});
    });
    fc.assert(property, RUNS);
  });

  it('refuses wrong options when it is built', () => {
    const refused = (options: object, message: string) =>
      expect(() => selfPacedWeights(options as SelfPacedOptions)).toThrow(message);
    refused(
      {},
      'selfPacedWeights: options must have either threshold or ratio, got {}. Pass {threshold: 1} or {ratio: 0.5}.',
    );
    refused({threshold: 1e39}, 'selfPacedWeights: threshold must be from 1e-37 to 1e37, for float32, got 1e+39.');
    refused({threshold: 1e-46}, 'selfPacedWeights: threshold must be from 1e-37 to 1e37, for float32, got 1e-46.');
    refused(
      {threshold: 1, kind: 'polynomial', degree: 1e39},
      'selfPacedWeights: degree must be from -1e37 to 1e37, for float32, got 1e+39.',
    );
    refused({threshold: 1, ratio: 1}, 'selfPacedWeights: options must have either threshold or ratio');
    refused({threshold: Number.NaN}, 'selfPacedWeights: threshold must be a finite number > 0, got NaN.');
    refused({ratio: 0}, 'selfPacedWeights: ratio must be in (0, 1], got 0.');
    refused({threshold: 1, kind: 'log'}, 'selfPacedWeights: kind must be one of hard, linear, logarithmic, logistic');
    refused({threshold: 1, kind: 'logarithmic'}, 'selfPacedWeights: threshold must be in (0, 1), got 1.');
    refused(
      {ratio: 0.5, kind: 'logarithmic'},
      'selfPacedWeights: kind must be hard, linear, logistic or polynomial with a ratio, got logarithmic. ' +
        'Pass a threshold in (0, 1) for logarithmic.',
    );
    refused({threshold: 1, degree: 1}, 'selfPacedWeights: degree must be a finite number > 1, got 1.');
  });
});

describe('selfPacedWeights', () => {
  afterEach(() => vi.restoreAllMocks());

  it('warns of a degree that its kind has no use for', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    selfPacedWeights({threshold: 1, kind: 'polynomial', degree: 2});
    expect(warn).not.toHaveBeenCalled();
    selfPacedWeights({threshold: 1, degree: 2});
    expect(warn.mock.calls).toEqual([["selfPacedWeights: degree has no effect with kind 'linear'."]]);
  });
});
