/**
 * @file `aboveThreshold` against the OHEM cross-entropy of BiSeNet: 16 cases of logits → losses of
 *   pixels → mean of the kept ones → gradient.
 *
 * Its newer form keeps at least 1/16 of the valid pixels (`minRatio`), its older one a fixed number
 * (`minK`).
 */
import {aboveThreshold} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/bisenet_ohem_ce.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {channelsLast, type Elements, type Mined, mine, minedOracle} from '../support/minedElements';

type Case = (typeof oracle.cases)[number];

const AS_TORCH = {absolute: 2e-6, relative: 2e-4};

/** Where the peer is wrong: why, and what is kept instead. */
const OUR_OWN: Record<string, {reason: string; kept: number[]}> = {
  all_ignored: {reason: 'its mean of nothing is NaN; ours is 0', kept: []},
  few_valid_all_easy: {reason: '9 / 16 is no pixel at all, so its mean is NaN; ours keeps the hardest', kept: [5]},
  old_with_ignored_small_valid: {
    reason:
      'three ignored pixels with a loss of 0 are in its mean, which divides by 8; ours divides by the 5 that count',
    kept: [2, 3, 5, 8, 12],
  },
  old_n_min_too_large: {
    reason: 'it looks at the loss behind the last one (IndexError); ours keeps all there are',
    kept: [0, 1, 2, 3, 4, 5, 6, 7, 8],
  },
};

const agreed = oracle.cases.filter(({name}) => !(name in OUR_OWN));
const own = Object.entries(OUR_OWN).map(([name, expected]) => ({name, ...expected}));

const elementsOf = ({logits, labels, shape}: Case): Elements => ({logits: channelsLast(logits, shape), labels});

function mineCase(one: Case): Mined {
  const {thresh: probability, n_min: minK} = one.params as {thresh: number; n_min?: number};
  const atLeast = one.variant === 'old' ? {minK: minK as number} : {minRatio: 1 / 16};
  return mine(elementsOf(one), aboveThreshold({probability, ...atLeast}));
}

/** Compares means over the kept, and their gradients. */
function expectMean({sum, gradient, kept}: Mined, mean: number, meanGradient: number[]): void {
  const divisor = Math.max(kept.length, 1);
  expectClose([sum / divisor], [mean], AS_TORCH);
  expectClose(
    gradient.map((entry) => entry / divisor),
    meanGradient,
    AS_TORCH,
  );
}

describe('The cases of BiSeNet', () => {
  it('are all tried', () => {
    expect(oracle.cases).toHaveLength(oracle.n_cases);
    expect(agreed.length + own.length).toBe(16);
  });
});

describeOnBackends('aboveThreshold', () => {
  it.each(agreed)('keeps, gives and differentiates what BiSeNet does: $name', (one) => {
    const mined = mineCase(one);
    expect(mined.kept).toEqual(one.selected);
    expect(mined.kept).toHaveLength(one.divisor as number);
    const ofRows = channelsLast(one.grad_logits as number[], one.shape).flat();
    expectMean(mined, one.loss as number, ofRows);
  });

  it.each(own)('is right where BiSeNet is not: $name, $reason', ({name, kept}) => {
    const one = oracle.cases.find((candidate) => candidate.name === name) as Case;
    const mined = mineCase(one);
    const expected = minedOracle(elementsOf(one), kept);
    const divisor = Math.max(kept.length, 1);
    expect(mined.kept).toEqual(kept);
    expectMean(
      mined,
      expected.sum / divisor,
      expected.gradient.map((entry) => entry / divisor),
    );
  });
});
