/** @file The asymmetric loss against its formula, and against Alibaba-MIIL/ASL. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  asymmetric,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/asymmetric.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw, predictionsFor} from '../support/lossCases';
import {asymmetricOracle} from '../support/lossOracles';
import {lossGradient} from '../support/tensors';

const NEAR = {absolute: 1e-6, relative: 1e-6};
const AS_PEER = {absolute: 3e-6, relative: 3e-4};
const column = (values: readonly number[]) => tf.tensor2d([...values], [values.length, 1]);

interface Case {
  name: string;
  params: {loss: string; gamma_neg: number; gamma_pos: number; clip: number};
  logits: number[];
  target: number[];
  loss_sum: number;
  per_element_loss: number[];
  grad_logits_weight_detached: number[];
  grad_logits_full: (number | string)[];
}

const CASES = (oracle.cases as unknown as Case[]).filter(({params}) => params.loss === 'asymmetric');

/** A case of the peer's loss for one label a row. */
interface SingleCase {
  name: string;
  params: {loss: string; gamma_pos: number; gamma_neg: number; label_smoothing: number};
  shape: [number, number];
  logits: number[];
  labels: number[];
  per_row_loss: number[];
  grad_logits: number[];
}

/**
 * The peer's loss for one label a row is another one: it is of classes, by the softmax. Without
 * smoothing only the term of the label is left, so it is the focal loss, which this library has.
 * With smoothing the terms of the other classes have weights p^γ⁻, as in no loss here.
 */
const SINGLE = (oracle.cases as unknown as SingleCase[]).filter(({params}) => params.loss !== 'asymmetric');
const built = ({gamma_neg, gamma_pos, clip}: Case['params'], options: object = {}) =>
  asymmetric({fromLogits: true, gammaNegative: gamma_neg, gammaPositive: gamma_pos, clip, ...options});
const named = (cases: readonly Case[]) => cases.map((one) => [one.name, one] as const);
/** What the peer gets wrong, and its numbers at the clamp of its logarithm. */
const TRAPS = ['fractional_gamma_half_clip05', 'extreme_logits'];

describe('The cases of the asymmetric loss', () => {
  it('are all there', () => {
    expect(oracle.cases).toHaveLength(oracle.n_cases);
    expect(CASES).toHaveLength(10);
    expect(SINGLE.map(({name}) => name)).toEqual(['single_label_default', 'single_label_no_smoothing']);
    expect(CASES.filter(({name}) => TRAPS.includes(name))).toHaveLength(2);
  });
});

describeOnBackends('The loss of the peer for one label a row', () => {
  const rowsOf = ({labels, logits, shape}: SingleCase) =>
    [tf.tensor1d(labels, 'int32'), tf.tensor2d(logits, shape)] as const;
  const focal = ({params: {gamma_pos: gamma}}: SingleCase) =>
    categoricalFocalCrossentropy({fromLogits: true, gamma, alpha: 1});
  const oneHot = (labels: tf.Tensor1D, classes: number) => tf.cast(tf.oneHot(labels, classes), 'float32');

  it('is the focal loss without smoothing, with its gradient', () => {
    const one = SINGLE.find(({params}) => params.label_smoothing === 0) as SingleCase;
    const [labels, logits] = rowsOf(one);
    const rows = [oneHot(labels, one.shape[1]), logits] as const;
    expectClose(focal(one)(...rows), one.per_row_loss, AS_PEER);
    // The peer takes the mean over the rows.
    const mean = lossGradient(focal(one), ...rows).map((slope) => slope / one.shape[0]);
    expectClose(mean, one.grad_logits, AS_PEER);
  });

  it('smooths its labels beside the weights of the others, as no loss here does', () => {
    const one = SINGLE.find(({params}) => params.label_smoothing > 0) as SingleCase;
    const [classes, {label_smoothing: share, gamma_neg}] = [one.shape[1], one.params];
    const expected = one.labels.map((label, row) => {
      const logits = one.logits.slice(row * classes, (row + 1) * classes);
      const total = logits.reduce((sum, z) => sum + Math.exp(z), 0);
      return logits.reduce((sum, z, j) => {
        const p = Math.exp(z) / total;
        const target = share / classes + (j === label ? 1 - share : 0);
        // gamma_pos is 0, so the term of the label has weight 1.
        return sum - target * (j === label ? 1 : p ** gamma_neg) * Math.log(p);
      }, 0);
    });
    expectClose(one.per_row_loss, expected, AS_PEER);
    const [labels, logits] = rowsOf(one);
    const smoothed = categoricalCrossentropy({fromLogits: true, labelSmoothing: share});
    const ours = [...smoothed(oneHot(labels, classes), logits).dataSync()];
    expect(ours.some((loss, row) => Math.abs(loss - (one.per_row_loss[row] as number)) > 0.01)).toBe(true);
  });
});

describeOnBackends('asymmetric', () => {
  it.each(named(CASES.filter(({name}) => name !== 'extreme_logits')))('gives the losses of the peer: %s', (_, one) => {
    const losses = Array.from(built(one.params)(column(one.target), column(one.logits)).dataSync());
    expectClose(losses, one.per_element_loss, AS_PEER);
    // The peer adds up where this library takes the mean.
    expectClose([losses.reduce((sum, loss) => sum + loss, 0)], [one.loss_sum], AS_PEER);
  });

  it.each(named(CASES.filter(({name}) => !TRAPS.includes(name))))('has both gradients of the peer: %s', (_, one) => {
    const rows = [column(one.target), column(one.logits)] as const;
    expectClose(lossGradient(built(one.params), ...rows), one.grad_logits_full as number[], AS_PEER);
    const detached = lossGradient(built(one.params, {detach: true}), ...rows);
    expectClose(detached, one.grad_logits_weight_detached, AS_PEER);
  });

  it('has a gradient of 0, not of NaN, for a clipped no and a gamma below 1', () => {
    const one = CASES.find(({name}) => name === TRAPS[0]) as Case;
    const rows = [column(one.target), column(one.logits)] as const;
    const gradient = lossGradient(built(one.params), ...rows);
    const peer = one.grad_logits_full;
    expect(peer).toContain('NaN');
    expectClose(
      gradient,
      peer.map((value) => (value === 'NaN' ? 0 : Number(value))),
      AS_PEER,
    );
    expectClose(lossGradient(built(one.params, {detach: true}), ...rows), one.grad_logits_weight_detached, AS_PEER);
  });

  it('keeps loss and gradient where the peer clamps its logarithm', () => {
    const one = CASES.find(({name}) => name === TRAPS[1]) as Case;
    const clamped = one.per_element_loss.map((loss, i) => [loss, i] as const).filter(([loss]) => loss > 18.4);
    expect(built(one.params)(column(one.target), column(one.logits)).dataSync().every(Number.isFinite)).toBe(true);
    for (const [, i] of clamped) {
      const rows = [column([one.target[i] as number]), column([one.logits[i] as number])] as const;
      expect(one.grad_logits_weight_detached[i]).toBe(0);
      expectClose(built(one.params)(...rows), [Math.abs(one.logits[i] as number)], {absolute: 1e-5, relative: 1e-5});
      expectClose(lossGradient(built(one.params), ...rows), [-1], {absolute: 1e-5, relative: 1e-5});
    }
    const missed = [column([1]), column([-80])] as const;
    expectClose(asymmetric({fromLogits: true})(...missed), [80], NEAR);
    expectClose(lossGradient(asymmetric({fromLogits: true}), ...missed), [-1], NEAR);
  });

  it('is the mean over the labels of a row', () => {
    const losses = asymmetric()(tf.tensor2d([[1, 0]]), tf.tensor2d([[0.25, 0.25]]));
    expect([losses.dtype, losses.shape]).toEqual(['float32', [1]]);
    expectClose(losses, [(0.75 * Math.log(4) - 0.2 ** 4 * Math.log(0.8)) / 2], NEAR);
  });

  it('has no loss and no gradient for a no up to the clip', () => {
    const rows = [column([0, 0, 0]), column([0, 0.02, 0.05])] as const;
    expectClose(asymmetric()(...rows), [0, 0, 0], NEAR);
    expectClose(lossGradient(asymmetric(), ...rows), [0, 0, 0], NEAR);
  });

  it.each([true, false])(
    'is the crossentropy without gammas, the focal loss with equal ones (logits: %s)',
    (fromLogits) => {
      const rows = [column([1, 1, 0, 0]), column([0.9, 0.25, 0.75, 0.1])] as const;
      const pairs = [
        [asymmetric({fromLogits, gammaNegative: 0, gammaPositive: 0, clip: 0}), binaryCrossentropy({fromLogits})],
        [
          asymmetric({fromLogits, gammaNegative: 3, gammaPositive: 3, clip: 0}),
          binaryFocalCrossentropy({fromLogits, gamma: 3}),
        ],
      ] as const;
      for (const [one, other] of pairs) {
        expectClose(one(...rows), other(...rows), NEAR);
        expectClose(lossGradient(one, ...rows), lossGradient(other, ...rows), NEAR);
      }
    },
  );

  it('gives the values and the gradient of its formula in float64, whatever the options', () => {
    const options = fc.record({
      fromLogits: fc.boolean(),
      gammaNegative: fc.constantFrom(0, 1, 2, 4),
      gammaPositive: fc.constantFrom(0, 0.5, 1),
      clip: fc.constantFrom(0, 0.05, 0.2),
    });
    expectLaw(options, (given, sizes) => ({
      loss: asymmetric(given),
      oracle: asymmetricOracle(given),
      predicted: predictionsFor(sizes, given.fromLogits),
    }));
  });

  it('leaves ignored labels out of loss and gradient, and says which rows count', () => {
    const loss = asymmetric({fromLogits: true, ignoreLabel: 255});
    const rows = [
      tf.tensor2d([
        [1, 255],
        [255, 255],
      ]),
      tf.tensor2d([
        [-1, 3],
        [4, Number.NaN],
      ]),
    ] as const;
    const alone = asymmetric({fromLogits: true})(column([1]), column([-1])).dataSync()[0] as number;
    expectClose(loss(...rows), [alone, 0], NEAR);
    expect(
      lossGradient(loss, ...rows)
        .slice(1)
        .map(Math.abs),
    ).toEqual([0, 0, 0]);
    expect([...(loss.valid?.(rows[0]).dataSync() ?? [])]).toEqual([1, 0]);
    expect(loss.binary).toEqual({fromLogits: true});
  });

  it('refuses wrong options when it is built', () => {
    expect(() => asymmetric({gammaNegative: Number.NaN})).toThrow(
      new RangeError('asymmetric: gammaNegative must be a finite number >= 0, got NaN.'),
    );
    expect(() => asymmetric({gammaPositive: -1})).toThrow(
      new RangeError('asymmetric: gammaPositive must be a finite number >= 0, got -1.'),
    );
    expect(() => asymmetric({clip: 1})).toThrow(new RangeError('asymmetric: clip must be in [0, 1), got 1.'));
  });
});
