/**
 * @file `aboveThreshold` and `topK` against the OHEM sampler of mmsegmentation: 16 cases of logits
 *   → mask of pixels → loss → gradient.
 *
 * The sampler only says which pixels count. Its loss then divides by all pixels, ignored ones too
 * (or by those that are not ignored, or by the class weights of all), so that loss and gradient
 * shrink with the share that is kept; the trainers here divide by what is kept. So the sums over
 * the kept pixels are compared, times what mmseg makes of them.
 */
import {aboveThreshold, type Selector, topK} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/mmseg_ohem_pixel_sampler.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {channelsLast, type Elements, IGNORED, type Mined, mine, minedOracle, ones} from '../support/minedElements';

type Case = (typeof oracle.cases)[number];

const AS_TORCH = {absolute: 2e-6, relative: 2e-4};
const SIXTEEN = Array.from({length: 16}, (_, pixel) => pixel);

/** Where the peer is wrong: why, and what is kept instead. */
const OUR_OWN: Record<string, {reason: string; kept: number[]}> = {
  thresh_min_kept_exceeds_n: {
    reason:
      'its threshold becomes the probability of the easiest pixel, which the strict comparison then drops; ours keeps all 16',
    kept: SIXTEEN,
  },
  class_weight_with_ignored: {
    reason: 'it looks up the class weight of label 255 (IndexError); ours leaves the label out',
    kept: [7, 12, 24, 32, 34, 36, 43, 46, 47, 48],
  },
  min_kept_1_asserts: {reason: 'it does not take a minimum of 1; ours does', kept: [0, 1, 2, 3, 5, 6, 7, 8]},
};

const agreed = oracle.cases.filter(({name}) => !(name in OUR_OWN));
const own = Object.entries(OUR_OWN).map(([name, expected]) => ({name, ...expected}));

function elementsOf({logits, labels, shape, params}: Case): Elements {
  const classWeights = params.class_weight as number[] | null;
  return {logits: channelsLast(logits, shape), labels, ...(classWeights && {classWeights})};
}

/** `min_kept` is for each image, but pixels are ranked across the batch. */
function selectorOf({params, shape}: Case): Selector {
  const k = params.min_kept * (shape[0] as number);
  return params.thresh === null ? topK({k}) : aboveThreshold({probability: params.thresh, minK: k});
}

/** What mmseg multiplies the sum over the kept pixels by. */
function scaleOf({labels, params}: Case): number {
  const counted = labels.filter((label) => label !== IGNORED);
  const weights = params.class_weight as number[] | null;
  const divisor = weights
    ? counted.reduce((sum, label) => sum + (weights[label] as number), 0)
    : params.avg_non_ignore
      ? counted.length
      : labels.length;
  const total = params.n_losses === 2 ? 1.5 : 1;
  return total / (divisor + (params.avg_non_ignore || weights ? oracle.eps : 0));
}

/** Whether ignored pixels are in the divisor of mmseg, though not in the sum. */
const countsIgnored = ({labels, params}: Case) => labels.includes(IGNORED) && !params.avg_non_ignore;

function expectMined(mined: Mined, expected: Mined): void {
  expect(mined.kept).toEqual(expected.kept);
  expectClose([mined.sum], [expected.sum], AS_TORCH);
  expectClose(mined.gradient, expected.gradient, AS_TORCH);
}

describe('The cases of mmseg', () => {
  it('are all tried', () => {
    expect(oracle.cases).toHaveLength(oracle.n_cases);
    expect(agreed.length + own.length).toBe(16);
  });
});

describeOnBackends('aboveThreshold and topK', () => {
  it.each(agreed)('keep, give and differentiate what mmseg does: $name', (one) => {
    const {kept, sum, gradient} = mine(elementsOf(one), selectorOf(one));
    const scale = scaleOf(one);
    expect(kept).toEqual(ones(one.weight_mask as number[]));
    expectClose([sum * scale], [one.loss as number], AS_TORCH);
    expectClose(
      gradient.map((entry) => entry * scale),
      channelsLast(one.grad_logits as number[], one.shape).flat(),
      AS_TORCH,
    );
  });

  it.each(agreed.filter(countsIgnored))(
    'give a mean over what is kept where mmseg divides by ignored pixels too: $name',
    (one) => {
      const mined = mine(elementsOf(one), selectorOf(one));
      const expected = minedOracle(elementsOf(one), ones(one.weight_mask as number[]));
      const kept = Math.max(one.n_selected as number, 1);
      expectMined(mined, expected);
      expect(expected.kept).toHaveLength(one.n_selected as number);
      expectClose([mined.sum / kept], [expected.sum / kept], AS_TORCH);
    },
  );

  it.each(own)('are right where mmseg is not: $name, $reason', ({name, kept}) => {
    const one = oracle.cases.find((candidate) => candidate.name === name) as Case;
    expectMined(mine(elementsOf(one), selectorOf(one)), minedOracle(elementsOf(one), kept));
  });
});
