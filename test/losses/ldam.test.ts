/** @file LDAM against its formula, and against kaidic/LDAM-DRW. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {categoricalCrossentropy, ldam, type PerSampleLoss} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/ldam.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectLaw, filled, uniform} from '../support/lossCases';
import {ldamOracle} from '../support/lossOracles';
import {randomFrom} from '../support/property';
import {lossGradient, valuesOf} from '../support/tensors';

const AS_PEER = {absolute: 3e-6, relative: 3e-4};

interface Case {
  name: string;
  params: {counts: number[]; max_margin: number; scale: number; class_weight: number[] | null};
  logits: number[];
  labels: number[];
  margins: (number | string)[];
  per_row_loss_unweighted: number[];
  loss: number | string;
  grad_logits: number[];
}

const CASES = oracle.cases as unknown as Case[];
const optionsOf = ({params: {counts, max_margin: maxMargin, scale}}: Case) => ({counts, maxMargin, scale});

const rowsOf = ({labels, logits}: Case) => {
  const classes = logits.length / labels.length;
  const yTrue = tf.oneHot(tf.tensor1d(labels, 'int32'), classes);
  return [yTrue, tf.tensor2d(logits, [labels.length, classes])] as const;
};

describe('The cases of LDAM', () => {
  it('are all there', () => {
    expect(CASES).toHaveLength(oracle.n_cases);
    expect(CASES.filter(({name}) => name === 'zero_count')).toHaveLength(1);
  });
});

describeOnBackends('ldam', () => {
  it.each(CASES.filter(({name}) => name !== 'zero_count').map((one) => [one.name, one] as const))(
    'gives the losses and the gradient of the peer: %s',
    (_, one) => {
      const [yTrue, scores] = rowsOf(one);
      const weights = one.params.class_weight;
      expectClose(ldam(optionsOf(one))(yTrue, scores), one.per_row_loss_unweighted, AS_PEER);
      const loss = ldam({...optionsOf(one), ...(weights && {classWeights: weights})});
      // The peer's mean divides by the weights of the labels.
      const divisor = one.labels.reduce((total, label) => total + (weights?.[label] ?? 1), 0);
      const mean: PerSampleLoss = (truth, predicted) => tf.div(loss(truth, predicted), divisor);
      expectClose([valuesOf(() => tf.sum(mean(yTrue, scores)))[0] as number], [one.loss as number], AS_PEER);
      expectClose(lossGradient(mean, yTrue, scores), one.grad_logits, AS_PEER);
    },
  );

  it('refuses a count of 0, which makes every loss of the peer NaN', () => {
    const one = CASES.find(({name}) => name === 'zero_count') as Case;
    expect(one.loss).toBe('NaN');
    expect(() => ldam(optionsOf(one))).toThrow(
      new RangeError(
        'ldam: counts must hold integers >= 1, got 0 at position 1. ' +
          'Its margin would be infinite: leave out a class without examples.',
      ),
    );
  });

  it('is the crossentropy of the scaled scores without a margin', () => {
    const [yTrue, scores] = [
      tf.tensor2d([
        [0, 1],
        [1, 0],
      ]),
      tf.tensor2d([
        [0.5, -0.5],
        [0.25, 0],
      ]),
    ];
    const loss = ldam({counts: [5, 1], maxMargin: 0, scale: 4});
    const expected = categoricalCrossentropy({fromLogits: true})(yTrue, tf.mul(scores, 4));
    expectClose(loss(yTrue, scores), expected, {absolute: 1e-6, relative: 1e-6});
  });

  it('gives the values and the gradient of its formula in float64, whatever the options', () => {
    const options = fc.record({
      maxMargin: fc.constantFrom(0, 0.5, 2),
      scale: fc.constantFrom(0.5, 1, 8),
      seed: fc.integer(),
      hasWeights: fc.boolean(),
    });
    expectLaw(options, ({seed, hasWeights, ...given}, {shape, width}) => {
      const random = randomFrom(seed);
      const counts = Array.from({length: width}, () => 1 + Math.floor(random() * 1000));
      const classWeights = hasWeights && {classWeights: filled([width], uniform(random, 0, 2))};
      const all = {...given, counts, ...classWeights};
      return {loss: ldam(all), oracle: ldamOracle(all), predicted: filled(shape, uniform(random, -1, 1))};
    });
  });

  it('keeps loss and gradient of a score that is very wrong', () => {
    const rows = [tf.tensor2d([[1, 0]]), tf.tensor2d([[-10, 10]])] as const;
    const loss = ldam({counts: [1, 1]});
    expectClose(loss(...rows), [30 * 20.5], {absolute: 0, relative: 1e-6});
    expectClose(lossGradient(loss, ...rows), [-30, 30], {absolute: 1e-5, relative: 1e-6});
  });

  it('takes counts as a typed array, and does not follow later changes of a list', () => {
    const rows = [tf.tensor2d([[0, 1]]), tf.zeros([1, 2])] as const;
    const counts = [100, 4];
    const loss = ldam({counts});
    const before = valuesOf(() => loss(...rows));
    counts[1] = 1000;
    expect(valuesOf(() => loss(...rows))).toEqual(before);
    expect(valuesOf(() => ldam({counts: Int32Array.from([100, 4])})(...rows))).toEqual(before);
  });

  it('refuses wrong options when it is built, and counts for other classes when it is called', () => {
    const refused = (options: object, message: string) => expect(() => ldam(options as never)).toThrow(message);
    refused({}, 'ldam: counts must be a list of numbers, one for each class, got undefined.');
    refused({counts: []}, 'ldam: counts must be a list of numbers, one for each class, got [].');
    refused(
      {counts: [1, 2.5]},
      'ldam: counts must hold integers >= 1, got 2.5 at position 1. Pass the number of examples in each class.',
    );
    refused({counts: [1, 2], scale: 0}, 'ldam: scale must be a finite number > 0, got 0.');
    refused({counts: [1, 2], maxMargin: Number.NaN}, 'ldam: maxMargin must be a finite number >= 0, got NaN.');
    refused({counts: [1, 2], classWeights: [-1, 1]}, 'ldam: classWeights must hold finite numbers >= 0, got [-1, 1].');
    expect(() => ldam({counts: [1, 2]})(tf.ones([1, 3]), tf.ones([1, 3]))).toThrow(
      new TypeError('ldam: counts must hold one count for each of the 3 classes, got 2 counts.'),
    );
    expect(() => ldam({counts: [1, 2]})(tf.tensor1d([1]), tf.ones([1, 2]))).toThrow(
      new TypeError(
        'ldam: yTrue must have the shape of yPred, [1, 2], got [1]. For integer labels pass tf.oneHot(labels, C).',
      ),
    );
  });
});
