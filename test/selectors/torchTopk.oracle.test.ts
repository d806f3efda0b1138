/**
 * @file `topK` in a training step against torch 1.13: 30 cases of per-sample loss → torch.topk →
 *   reduction → backward.
 *
 * The model is one dense layer without bias on the rows of the identity, so that its kernel is the
 * prediction and a step of SGD with learning rate 1 takes exactly the gradient of the prediction
 * away from it.
 */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  halfSquaredError,
  huber,
  meanAbsoluteError,
  meanSquaredError,
  type OhemStepOptions,
  ohemStep,
  type PerSampleLoss,
  type Reduction,
  type StepOptions,
  smoothL1,
  sparseCategoricalCrossentropy,
  topK,
  weightedSum,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/torch_topk.json';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {rowsOf, softmaxOracle} from '../support/lossOracles';
import {keptRows} from '../support/selections';

type Case = (typeof oracle.cases)[number];

/** What the README of the oracle suggests: torch computes in float32 too. */
const AS_TORCH = {absolute: 2e-6, relative: 2e-4};

/**
 * Cases where torch raises or answers what this library does not: each has a test of its own, with
 * the reason.
 */
const OUR_OWN = ['k_0_sum', 'k_0_mean', 'k_gt_n', 'tie_all_equal', 'nan_row_selected_first'];
const applicable = oracle.cases.filter(({name}) => !OUR_OWN.includes(name));

const featuresOf = (yPred: tf.Tensor) => yPred.shape[1] as number;
const caseNamed = (name: string) => oracle.cases.find((one) => one.name === name) as Case;

const integers: PerSampleLoss = sparseCategoricalCrossentropy({fromLogits: true});
const oneHots: PerSampleLoss = categoricalCrossentropy({fromLogits: true});

/**
 * The losses by the names of the oracle; what the library means over the features and torch sums
 * there is written here, as a user would.
 */
const LOSSES: Record<string, {loss: PerSampleLoss; truth: 'labels' | 'oneHot' | 'values'}[]> = {
  softmax_ce: [
    {loss: integers, truth: 'labels'},
    {loss: oneHots, truth: 'oneHot'},
    {loss: categoricalFocalCrossentropy({fromLogits: true, gamma: 0, alpha: 1}), truth: 'oneHot'},
  ],
  l2_softmax_half: [{loss: (yTrue, yPred) => halfSquaredError()(yTrue, tf.softmax(yPred)), truth: 'oneHot'}],
  mse_mean_over_features: [{loss: meanSquaredError(), truth: 'values'}],
  sigmoid_bce_mean_over_labels: [
    {loss: binaryCrossentropy({fromLogits: true}), truth: 'values'},
    {loss: binaryFocalCrossentropy({fromLogits: true, gamma: 0}), truth: 'values'},
  ],
  mae_sum: [{loss: (yTrue, yPred) => tf.mul(meanAbsoluteError()(yTrue, yPred), featuresOf(yPred)), truth: 'values'}],
  huber_delta1_mean: [
    {loss: huber(), truth: 'values'},
    {loss: smoothL1(), truth: 'values'},
    {
      loss: weightedSum([
        {loss: huber(), weight: 0.25},
        {loss: smoothL1(), weight: 0.75},
      ]),
      truth: 'values',
    },
  ],
};

/**
 * `weighted_mean`, Σ w·l / Σ w with the sample weights, is the sum here, divided by the weights
 * afterwards.
 */
const REDUCTIONS: Record<string, Reduction> = {
  sum: 'sum',
  mean: 'mean',
  mean_over_batch: 'batchMean',
  weighted_mean: 'sum',
};

const VARIANTS = (['masked', 'recompute', 'pruned'] as const).flatMap((backward) =>
  applicable.flatMap((one) =>
    (LOSSES[one.params.loss] ?? []).map(({loss, truth}) => ({name: one.name, backward, truth, one, loss})),
  ),
);

interface Outcome {
  selected: number[];
  loss: number;
  nonFinite: number;
  gradient: number[];
}

function truthFor({target, shape}: Case, truth: 'labels' | 'oneHot' | 'values'): tf.Tensor {
  if (truth === 'values') return tf.tensor(target, shape);
  if (truth === 'labels') return tf.tensor(target, [shape[0] as number, 1]);
  return tf.oneHot(tf.tensor1d(target, 'int32'), shape[1] as number);
}

/** Takes one step of SGD with learning rate 1; the gradient is what it took away. */
function takeStep(
  one: Case,
  xs: tf.Tensor,
  yTrue: tf.Tensor,
  options: OhemStepOptions,
  stepOptions: StepOptions,
): Outcome {
  const [rows, columns] = one.shape as [number, number];
  const pred = one.pred.map((value) => (value === 'NaN' ? 0 : (value as number)));
  const model = tfl.sequential({layers: [tfl.layers.dense({units: columns, useBias: false, inputShape: [rows]})]});
  model.setWeights([tf.tensor2d(pred, [rows, columns])]);
  const report = ohemStep(model, {optimizer: tf.train.sgd(1), ...options})(xs, yTrue, stepOptions);
  const after = (model.getWeights()[0] as tf.Tensor).dataSync();
  const [indices, weights] = [report.selection.indices, report.selection.weights].map((tensor) => [
    ...tensor.dataSync(),
  ]);
  const [loss, nonFinite] = [report.loss, report.nonFinite].map((scalar) => scalar.dataSync()[0] as number);
  report.dispose();
  return {
    selected: keptRows({indices: indices ?? [], weights: weights ?? []}),
    loss: loss as number,
    nonFinite: nonFinite as number,
    gradient: pred.map((value, i) => value - (after[i] as number)),
  };
}

/** `(softmax − one-hot) / count` for the rows that are kept, 0 for the others. */
function meanGradient({pred, target, shape}: Case, kept: number[]): number[] {
  return rowsOf(pred as number[], shape[1] as number).flatMap((logits, row) =>
    kept.includes(row)
      ? softmaxOracle(logits).map((p, c) => (p - (c === target[row] ? 1 : 0)) / kept.length)
      : logits.map(() => 0),
  );
}

function meanLoss({per_sample_loss_unweighted: losses}: Case, kept: number[]): number {
  return kept.reduce((sum, row) => sum + (losses[row] as number), 0) / kept.length;
}

describe('The cases of torch', () => {
  it('are all tried, or have a reason not to be', () => {
    expect(oracle.cases).toHaveLength(oracle.n_cases);
    expect(new Set([...VARIANTS.map(({name}) => name), ...OUR_OWN])).toEqual(
      new Set(oracle.cases.map(({name}) => name)),
    );
  });
});

describeOnBackends('topK in a step', () => {
  it.each(VARIANTS)(
    'keeps, gives and takes what torch does: $name, $truth, $backward',
    ({one, loss, truth, backward}) => {
      const {params, sample_weight: sampleWeight, valid_mask: valid} = one;
      const {
        selected,
        loss: value,
        gradient,
      } = takeStep(
        one,
        tf.eye(one.shape[0] as number),
        truthFor(one, truth),
        {
          loss,
          select: topK({k: params.k}),
          reduction: REDUCTIONS[params.reduction] as Reduction,
          rankBy: params.rank_by === 'raw_loss' ? 'raw' : 'weighted',
          backward,
        },
        {...(sampleWeight && {sampleWeight}), ...(valid && {valid: tf.tensor1d(valid)})},
      );
      const selectedWeight = selected.reduce((sum, row) => sum + (sampleWeight?.[row] ?? 1), 0);
      const divisor = params.reduction === 'weighted_mean' ? selectedWeight : 1;
      expect(selected).toEqual(one.selected_desc);
      expectClose([value / divisor], [one.loss as number], AS_TORCH);
      expectClose(
        gradient.map((entry) => entry / divisor),
        one.grad_pred as number[],
        AS_TORCH,
      );
    },
  );

  it.each(['k_0_sum', 'k_0_mean'])(
    'refuses what torch reduces to 0 or NaN, a k of 0, when it is built (%s)',
    (name) => {
      const {k} = caseNamed(name).params;
      expect(() => topK({k})).toThrow(new RangeError('topK: k must be an integer >= 1, got 0.'));
    },
  );

  for (const backward of ['masked', 'recompute', 'pruned'] as const) {
    const step = (one: Case, xs = tf.eye(one.shape[0] as number) as tf.Tensor) =>
      takeStep(one, xs, truthFor(one, 'oneHot'), {loss: oneHots, select: topK({k: one.params.k}), backward}, {});

    it(`keeps all rows where torch raises, for a k over the batch (k_gt_n, ${backward})`, () => {
      const one = caseNamed('k_gt_n');
      const {selected, loss, gradient} = step(one);
      const everything = [4, 5, 0, 2, 3, 1]; // its losses are 2.44, 1.58, 1.23, 1.18, 1.10, 0.08
      expect(selected).toEqual(everything);
      expectClose([loss], [meanLoss(one, everything)], AS_TORCH);
      expectClose(gradient, meanGradient(one, everything), AS_TORCH);
    });

    it(`keeps the lower indices of equal losses, where torch takes any (tie_all_equal, ${backward})`, () => {
      const one = caseNamed('tie_all_equal');
      const {selected, loss, gradient} = step(one);
      expect(selected).toEqual([0, 1, 2]);
      expectClose([loss], [one.loss as number], AS_TORCH);
      expectClose(gradient, meanGradient(one, [0, 1, 2]), AS_TORCH);
    });

    it(`leaves a row out that is NaN, where torch ranks it first (nan_row_selected_first, ${backward})`, () => {
      const one = caseNamed('nan_row_selected_first');
      // A kernel with NaN would make every row NaN: 0 · NaN. So the row is NaN in the input.
      const xs = tf.tensor2d(
        Array.from({length: 8}, (_, row) =>
          Array.from({length: 8}, (__, i) => (i === row ? (row === 3 ? Number.NaN : 1) : 0)),
        ),
      );
      const {selected, loss, nonFinite, gradient} = step(one, xs);
      const hardestOfFinite = [2, 0, 6]; // 2.207, 2.067, 2.047; NaN is row 3
      expect(selected).toEqual(hardestOfFinite);
      expect(nonFinite).toBe(1);
      expectClose([loss], [meanLoss(one, hardestOfFinite)], AS_TORCH);
      const finite = {...one, pred: one.pred.map((value) => (value === 'NaN' ? 0 : value))} as Case;
      expectClose(gradient, meanGradient(finite, hardestOfFinite), AS_TORCH);
    });
  }
});
