/** @file The gradient harmonizing mechanism against plain JavaScript, and against mmdetection. */
import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {binaryCrossentropy, ghm, ohemStep, type SelectionContext} from 'ohem-tfjs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import oracle from '../fixtures/ghm.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS, randomFrom} from '../support/property';
import {marks, selected} from '../support/selections';
import {leftBy} from '../support/tensors';
import {weightValues} from '../support/tinyModel';

const NEAR = {absolute: 3e-6, relative: 3e-4};

interface Step {
  logits?: number[];
  pred?: number[];
  target: number[];
  valid?: number[];
  label_weight?: number[];
  gradient_length: number[];
  loss: number;
  weights?: number[];
  grad_logits?: number[];
  grad_pred?: number[];
}

interface Case {
  name: string;
  params: {loss: 'ghm_c' | 'ghm_r'; bins: number; momentum: number; mu?: number};
  steps: Step[];
}

const CASES = oracle.cases as unknown as Case[];

/** The weights of bins, one by one. `counts` are those so far, null before the first batch. */
function weightsInJs(
  norms: readonly number[],
  usable: readonly boolean[],
  bins: number,
  momentum: number,
  before: number[] | null,
) {
  const binOf = (norm: number) => Math.min(Math.floor(Math.fround(Math.fround(norm) * bins)), bins - 1);
  const counts = Array<number>(bins).fill(0);
  for (const [row, norm] of norms.entries()) if (usable[row]) counts[binOf(norm)] = (counts[binOf(norm)] as number) + 1;
  const moved = counts.map((count, bin) => {
    const earlier = before?.[bin] ?? 0;
    if (count === 0) return earlier;
    return earlier > 0 ? momentum * earlier + (1 - momentum) * count : count;
  });
  const used = counts.filter((count) => count > 0).length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weights = norms.map((norm, row) => (usable[row] ? total / ((moved[binOf(norm)] as number) * used) : 0));
  return {weights, moved: momentum === 0 ? counts : moved};
}

/** The weights in the order of the rows. */
function weightsOf(options: Parameters<typeof ghm>[0], losses: readonly number[], context: SelectionContext) {
  const {indices, weights} = selected(ghm(options), losses, context);
  const ofRows = Array<number>(losses.length).fill(0);
  for (const [place, row] of indices.entries()) ofRows[row] = weights[place] as number;
  return ofRows;
}

const optionsOf = ({params: {bins, momentum, mu, loss}}: Case) => ({
  ...{bins, momentum, fromLogits: true},
  ...(loss === 'ghm_r' && {mu: mu as number}),
});

const validOf = ({valid, label_weight, target}: Step) =>
  (valid ?? label_weight ?? target.map(() => 1)).map((weight) => +(weight > 0));

const contextOf = (step: Step, memory: tf.Tensor1D | null): SelectionContext => ({
  ...{yTrue: tf.tensor1d(step.target), yPred: tf.tensor1d(step.logits ?? step.pred ?? []), memory},
  ...{valid: marks(validOf(step))},
});

/** d Σ w · l / Σ, as the peer has it: its own weights over its gradient of the loss. */
function peerWeights(step: Step): number[] {
  const usable = validOf(step);
  const total = Math.max(
    1,
    usable.reduce((sum, mark) => sum + mark, 0),
  );
  if (step.weights) return step.weights;
  return (step.grad_pred as number[]).map((slope, row) => {
    const error = ((step.pred as number[])[row] as number) - (step.target[row] as number);
    // d/dd of √(d² + μ²) − μ is the norm, with the sign of d.
    return usable[row] ? (slope * total) / (Math.sign(error) * (step.gradient_length[row] as number)) : 0;
  });
}

describe('The cases of GHM', () => {
  it('are all there', () => {
    expect(CASES).toHaveLength(oracle.n_cases);
    expect(CASES.filter(({params}) => params.momentum > 0)).toHaveLength(3);
  });
});

describeOnBackends('ghm', () => {
  it.each(CASES.filter(({params}) => params.momentum === 0).map((one) => [one.name, one] as const))(
    'has the weights of the peer: %s',
    (_, one) => {
      const step = one.steps[0] as Step;
      const weights = weightsOf(
        optionsOf(one),
        step.target.map(() => 1),
        contextOf(step, null),
      );
      expectClose(weights, peerWeights(step), {absolute: 3e-5, relative: 1e-3});
      expect(validOf(step).map((mark) => mark === 1)).toEqual(weights.map((weight) => weight > 0));
    },
  );

  it.each(CASES.filter(({params}) => params.momentum > 0).map((one) => [one.name, one] as const))(
    'begins its counts with the first ones, where the peer begins with 0: %s',
    (_, one) => {
      const {bins, momentum} = one.params;
      let memory: tf.Tensor1D | null = null;
      let [ours, theirs]: [number[] | null, number[]] = [null, Array<number>(bins).fill(0)];
      for (const [i, step] of one.steps.entries()) {
        const losses = step.target.map(() => 1);
        const usable = validOf(step).map((mark) => mark === 1);
        const context = contextOf(step, memory);
        const weights = weightsOf(optionsOf(one), losses, context);
        const expected = weightsInJs(step.gradient_length, usable, bins, momentum, ours);
        expectClose(weights, expected.weights, NEAR);
        // The rule of the peer, which this follows from the second step on.
        const plain = weightsInJs(step.gradient_length, usable, bins, 0, null);
        const accumulated = theirs.map((before, bin) => {
          const count = plain.moved[bin] as number;
          return count > 0 ? momentum * before + (1 - momentum) * count : before;
        });
        const asPeer = plain.weights.map((weight, row) => {
          const bin = Math.min(Math.floor((step.gradient_length[row] as number) * bins), bins - 1);
          return usable[row] ? (weight * (plain.moved[bin] as number)) / (accumulated[bin] as number) : 0;
        });
        expectClose(peerWeights(step), asPeer, {absolute: 3e-5, relative: 1e-3});
        if (i === 0) {
          expectClose(
            asPeer,
            weights.map((weight) => weight / (1 - momentum)),
            NEAR,
          );
        }
        memory = ghm(optionsOf(one)).remember?.(tf.tensor1d(losses), context) as tf.Tensor1D;
        expectClose(memory, expected.moved, {absolute: 1e-4, relative: 1e-5});
        [ours, theirs] = [expected.moved, accumulated];
      }
    },
  );

  it.each(CASES.map((one) => [one.name, one] as const))('has loss and gradient of the peer in a step: %s', (_, one) => {
    const step = one.steps[0] as Step;
    const {momentum, mu = 0, loss: kind} = one.params;
    const given = step.logits ?? (step.pred as number[]);
    const [rows, valid] = [given.length, validOf(step)];
    const weight = tf.variable(tf.tensor2d(given, [rows, 1]));
    const model = {predict: () => weight as unknown as tf.Tensor2D, variables: [weight]};
    const ofNumbers = (yTrue: tf.Tensor, yPred: tf.Tensor) =>
      tf.sub(tf.sqrt(tf.add(tf.square(tf.reshape(tf.sub(yPred, yTrue), [rows])), mu ** 2)), mu);
    const loss = kind === 'ghm_r' ? ofNumbers : binaryCrossentropy({fromLogits: true});
    const select = ghm({...optionsOf(one), ...(kind === 'ghm_r' && {fromLogits: false})});
    const trained = ohemStep(model, {loss, select, optimizer: tf.train.sgd(1), reduction: 'sum'});
    const {gradients, report} = trained.gradients(tf.zeros([rows, 1]), tf.tensor2d(step.target, [rows, 1]), {
      valid: marks(valid),
    });
    // The peer divides by the valid rows, and its first counts are 1 − momentum of the real ones.
    const divisor =
      Math.max(
        1,
        valid.reduce((sum, mark) => sum + mark, 0),
      ) *
      (1 - momentum);
    const [ofWeight] = Object.values(gradients) as [tf.Tensor];
    const slopes = [...ofWeight.dataSync()].map((slope) => slope / divisor);
    expectClose(slopes, step.grad_logits ?? (step.grad_pred as number[]), {absolute: 3e-6, relative: 1e-3});
    expectClose([(report.loss.dataSync()[0] as number) / divisor], [step.loss], {absolute: 3e-6, relative: 1e-3});
    tf.dispose(gradients);
    report.dispose();
    trained.dispose();
    weight.dispose();
  });

  it('is the rule one by one, from any predictions and counts, and its weights add up to the rows', () => {
    const property = fc.property(
      fc.integer({min: 1, max: 40}),
      fc.constantFrom(1, 2, 3),
      fc.constantFrom(1, 5, 10),
      fc.constantFrom(0, 0.5, 0.9),
      fc.boolean(),
      fc.integer(),
      (rows, classes, bins, momentum, hasMemory, seed) => {
        const random = randomFrom(seed);
        const labels = Array.from({length: rows}, () => Math.floor(random() * Math.max(classes, 2)));
        // In steps of 1/64, which bins of 1, 5 and 10 do not round over their edges.
        const shares = Array.from({length: rows}, () => (Math.floor(random() * 63) + 0.5) / 64);
        const predicted = shares.map((share) =>
          classes === 1
            ? [share]
            : Array.from({length: classes}, (_, c) => (c === 0 ? share : (1 - share) / (classes - 1))),
        );
        const norms = predicted.map((row, i) => {
          const label = labels[i] as number;
          if (classes === 1) return Math.abs((row[0] as number) - label);
          return row.reduce((sum, p, c) => sum + Math.abs(p - +(c === label)), 0) / 2;
        });
        if (norms.some((norm) => Math.abs(norm * bins - Math.round(norm * bins)) < 1e-4)) return;
        const losses = labels.map(() => (random() < 0.1 ? Number.NaN : random()));
        const valid = labels.map(() => (random() < 0.8 ? 1 : 0));
        const before = hasMemory && momentum > 0 ? Array.from({length: bins}, () => Math.floor(random() * 4)) : null;
        const usable = losses.map((loss, row) => Number.isFinite(loss) && valid[row] === 1);
        const expected = weightsInJs(norms, usable, bins, momentum, before);
        tf.tidy(() => {
          const context = {
            ...{yTrue: tf.tensor1d(labels, 'int32'), yPred: tf.tensor2d(predicted), valid: marks(valid)},
            memory: before && tf.tensor1d(before),
          };
          const weights = weightsOf({bins, momentum}, losses, context);
          expectClose(weights, expected.weights, {absolute: 1e-5, relative: 1e-5});
          if (momentum === 0) {
            const total = weights.reduce((sum, weight) => sum + weight, 0);
            expectClose([total], [usable.filter(Boolean).length], {absolute: 1e-4, relative: 1e-4});
          }
        });
      },
    );
    fc.assert(property, RUNS);
  });

  it('weighs the labels of a row one by one in a step that mines elements', async () => {
    const dense = layers.dense({units: 3, activation: 'sigmoid', inputShape: [2]});
    const model = sequential({layers: [dense]});
    const before = weightValues(model).flat();
    const step = ohemStep(model, {
      ...{loss: binaryCrossentropy(), select: ghm({momentum: 0.5}), granularity: 'element'},
      optimizer: tf.train.sgd(0.5),
    });
    const report = step(tf.ones([4, 2]), tf.zeros([4, 3]));
    const weights = [...report.selection.weights.dataSync()];
    expect(weights).toHaveLength(12);
    expectClose([weights.reduce((sum, weight) => sum + weight, 0)], [12], {absolute: 1e-4, relative: 0});
    report.dispose();
    step(tf.ones([4, 2]), tf.ones([4, 3])).dispose();
    expect(weightValues(model).flat()).not.toEqual(before);
    step.dispose();
  });

  it('gives a row without a prediction weight 0, and counts it in no bin', () => {
    const context = {yTrue: tf.tensor1d([0, 0, 0, 1]), yPred: tf.tensor2d([[0.02], [Number.NaN], [0.01], [0.5]])};
    expectClose(weightsOf({}, [1, 1, 1, 1], context), [0.75, 0, 0.75, 1.5], NEAR);
    const moved = ghm({momentum: 0.5}).remember?.(tf.ones([4]), {...context, memory: null});
    expect([...(moved as tf.Tensor1D).dataSync()]).toEqual([2, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    expectClose(weightsOf({mu: 0.02}, [1, 1, 1, 1], context), [1, 0, 1, 1], NEAR);
  });

  it('refuses wrong options when it is built', () => {
    expect(() => ghm({bins: 0})).toThrow(new RangeError('ghm: bins must be an integer >= 1, got 0.'));
    expect(() => ghm({momentum: 1})).toThrow(new RangeError('ghm: momentum must be in [0, 1), got 1.'));
    expect(() => ghm({mu: 0})).toThrow(new RangeError('ghm: mu must be a finite number > 0, got 0.'));
    expect(() => ghm({mu: 1e20})).toThrow(
      new RangeError('ghm: the square of mu must be from 1e-37 to 1e37, for float32, got 1e+40.'),
    );
    expect(ghm().remember).toBeUndefined();
  });

  it('refuses truths and predictions of other rows, and several numbers a row', () => {
    const losses = tf.tensor1d([1, 2]);
    const refused = (context: SelectionContext, message: string, options = {}) => {
      const call = () => ghm(options)(losses, context);
      expect(leftBy(() => void expect(call).toThrow(new TypeError(message)))).toBe(0);
    };
    const [four, three] = [tf.ones([2, 2]), tf.tensor1d([1, 2, 3])];
    refused(
      {yTrue: three},
      'ghm: yPred must have shape [2, C], C >= 1 classes for each row, got undefined. It is for models with one output.',
    );
    refused({yPred: three, yTrue: three}, 'ghm: yPred must have shape [2, C], C >= 1 classes for each row, got [3].');
    refused({yPred: four, yTrue: three}, 'ghm: yTrue must have shape [2] of labels or [2, 2], one-hot, got [3].');
    refused(
      {yPred: four, yTrue: four},
      "ghm: yTrue must have one number for each of 2 rows, got [2, 2]. For rows with several labels or numbers, mine the elements: {granularity: 'element'}.",
      {mu: 0.02},
    );
    refused(
      {yPred: four, yTrue: four, binary: true},
      "ghm: yPred must have one label for each of 2 rows, got [2, 2]. For rows with several labels or numbers, mine the elements: {granularity: 'element'}.",
    );
  });

  it('refuses rows with several labels in a step, instead of taking them for classes', () => {
    const stepOf = (granularity: 'sample' | 'element') =>
      ohemStep(sequential({layers: [layers.dense({units: 3, inputShape: [2]})]}), {
        ...{loss: binaryCrossentropy({fromLogits: true}), select: ghm({fromLogits: true}), granularity},
        optimizer: tf.train.sgd(0.5),
      });
    const [xs, ys] = [tf.ones([4, 2]), tf.ones([4, 3])];
    expect(() => stepOf('sample')(xs, ys)).toThrow(
      /^ghm: yPred must have one label for each of 4 rows, got \[4, 3\]\./,
    );
    stepOf('element')(xs, ys).dispose();
  });
});

describe('ghm', () => {
  afterEach(() => vi.restoreAllMocks());

  it('warns of logits, which numbers are not', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    ghm({mu: 0.1});
    expect(warn).not.toHaveBeenCalled();
    ghm({mu: 0.1, fromLogits: true});
    expect(warn.mock.calls).toEqual([['ghm: fromLogits has no effect with mu, which is for numbers.']]);
  });
});
