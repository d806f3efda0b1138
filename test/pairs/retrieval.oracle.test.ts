/**
 * @file The losses of two towers against sentence-transformers (29 cases) and HCL (24 cases), and
 *   against plain rules.
 */
import * as tf from '@tensorflow/tfjs-core';
import {input, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';
import {all, jointLoss, ohemStep} from 'ohem-tfjs';
import {hardContrastive, inBatchSoftmax, type TowerLoss} from 'ohem-tfjs/pairs';
import {describe, expect, it} from 'vitest';
import hcl from '../fixtures/hcl_hard_contrastive.json';
import st from '../fixtures/st_in_batch_softmax.json';
import {describeOnBackends} from '../support/backends';
import {expectClose, expectSameDirection} from '../support/close';
import {numbersOf, plainDistances} from '../support/pairOracles';

interface Case {
  name: string;
  loss: string;
  params: {
    similarity?: string;
    scale?: number;
    temperature?: number;
    margin_strategy?: 'absolute' | 'relative';
    margin?: number;
    contrast_anchors?: number;
    contrast_positives?: number;
  };
  B: number;
  D: number;
  anchor: number[];
  columns: number[][];
  guide_anchor?: number[];
  guide_columns?: number[][];
  per_row: (number | string)[];
  grad_anchor: (number | string)[];
  grad_columns: (number | string)[][];
}

const cases = st.cases as unknown as Case[];
const CLOSE = {absolute: 2e-5, relative: 1e-3};

function lossOf({params, guide_anchor, guide_columns = [], D}: Case): TowerLoss {
  const {similarity, scale, temperature, margin_strategy, margin, contrast_anchors, contrast_positives} = params;
  if (!guide_anchor)
    return inBatchSoftmax({scale: scale as number, similarity: similarity === 'dot_score' ? 'dot' : 'cosine'});
  const of = (values: number[]) => tf.tensor2d(values, [values.length / D, D]);
  return inBatchSoftmax({
    scale: 1 / (temperature as number),
    contrast: {queries: contrast_anchors === 1, documents: contrast_positives === 1},
    guide: {
      embeddings: () => [guide_anchor, ...guide_columns].map(of),
      margin: margin as number,
      strategy: margin_strategy as 'absolute',
    },
  });
}

/** The losses, and the gradients of their mean by each output. */
function evaluated(loss: TowerLoss, outputs: tf.Tensor[], ys: tf.Tensor[] = []) {
  const losses = Array.from(loss(ys, outputs).dataSync());
  const {grads} = tf.valueAndGrads((...given: tf.Tensor[]) => tf.mean(loss(ys, given)))(outputs);
  return {losses, gradients: grads.map((gradient) => Array.from(gradient.dataSync()))};
}

describe('The cases of two towers', () => {
  it.each([st, hcl])('are all there', ({cases: list, n_cases}) => expect(list).toHaveLength(n_cases));
});

describeOnBackends('inBatchSoftmax', () => {
  it.each(cases.map((one) => [one.name, one] as const))('is that of the peer, with its gradients: %s', (_, one) => {
    const outputs = [one.anchor, ...one.columns].map((values) => tf.tensor2d(values, [values.length / one.D, one.D]));
    const {losses, gradients} = evaluated(lossOf(one), outputs);
    expectClose(losses, numbersOf(one.per_row), CLOSE);
    expect(gradients.flat().every(Number.isFinite)).toBe(true);
    // A query of zeros has no direction.
    if (one.name === 'mnrl-zero_anchor') return;
    const theirs = [one.grad_anchor, ...one.grad_columns].map(numbersOf);
    expectSameDirection(gradients.flat(), theirs.flat(), 3e-3, 2e-6);
  });

  const size = 6;
  const queries = () => tf.randomNormal([size, 3], 0, 1, 'float32', 1);
  const documents = () => tf.randomNormal([size, 3], 0, 1, 'float32', 2);
  const more = () => tf.randomNormal([size, 3], 0, 1, 'float32', 3);
  const scoresOf = () => {
    const found = [...(documents().arraySync() as number[][]), ...(more().arraySync() as number[][])];
    return plainDistances(queries().arraySync() as number[][], {distance: 'cosine'}, found).map((row) =>
      row.map((value) => -value),
    );
  };
  const softmaxLoss = (own: number, others: number[]) => {
    const largest = Math.max(own, ...others);
    return largest + Math.log([own, ...others].reduce((sum, z) => sum + Math.exp(z - largest), 0)) - own;
  };
  const plain = (keep: (i: number, j: number, row: number[]) => boolean, shift = (_: number) => 0, scale = 4) =>
    scoresOf().map((row, i) => {
      const logits = row.map((score, j) => scale * score - shift(j));
      return softmaxLoss(
        logits[i] as number,
        logits.filter((__, j) => j !== i && keep(i, j, logits)),
      );
    });
  const outputs = () => [queries(), documents(), more()];

  it('leaves out documents with the id of the own one, where the layer of KerasRS changes nothing', () => {
    const ids = [0, 1, 2, 0, 1, 5, 2, 7, 0, 9, 5, 5];
    const loss = inBatchSoftmax({scale: 4, candidateIds: ([given]) => given as tf.Tensor});
    const {losses} = evaluated(loss, outputs(), [tf.tensor1d(ids, 'int32')]);
    expectClose(
      losses,
      plain((i, j) => ids[i] !== ids[j]),
      CLOSE,
    );
  });

  it('corrects by the logarithm of how likely a document was drawn', () => {
    const shares = [0.5, 0.1, 1e-9, 2, 0.01, 0.3, 0.2, 0.1, 0.1, 0.05, 1, 0.7];
    const loss = inBatchSoftmax({scale: 4, samplingProbability: ([given]) => given as tf.Tensor});
    const {losses} = evaluated(loss, outputs(), [tf.tensor1d(shares)]);
    expectClose(
      losses,
      plain(
        () => true,
        (j) => Math.log(Math.min(Math.max(shares[j] as number, 1e-6), 1)),
      ),
      CLOSE,
    );
  });

  it.each([1, 3, 10, 11, 50])('keeps the %d hardest negatives, or all', (count) => {
    const {losses, gradients} = evaluated(inBatchSoftmax({scale: 4, hardNegatives: count}), outputs());
    const hardest = (i: number, j: number, row: number[]) =>
      row.filter((z, other) => other !== i && z > (row[j] as number)).length < count;
    expectClose(losses, plain(hardest), CLOSE);
    expect(gradients.flat().every(Number.isFinite)).toBe(true);
  });

  it('applies them one after the other', () => {
    const ids = [0, 1, 2, 0, 1, 5, 2, 7, 0, 9, 5, 5];
    const loss = inBatchSoftmax({scale: 4, candidateIds: () => tf.tensor1d(ids, 'int32'), hardNegatives: 2});
    const isOther = (i: number, j: number) => ids[i] !== ids[j];
    const kept = (i: number, j: number, row: number[]) =>
      isOther(i, j) && row.filter((z, other) => isOther(i, other) && z > (row[j] as number)).length < 2;
    expectClose(evaluated(loss, outputs()).losses, plain(kept), CLOSE);
  });

  it('never lets a row that is not finite reach another', () => {
    const broken = documents().arraySync() as number[][];
    (broken[2] as number[])[1] = Number.NaN;
    const given = [queries(), tf.tensor2d(broken), more()];
    const loss = inBatchSoftmax({scale: 4});
    const losses = Array.from(loss([], given).dataSync());
    expect(losses.map(Number.isNaN)).toEqual([false, false, true, false, false, false]);
    const want = plain((_, j) => j !== 2);
    expectClose(
      losses.filter((__, i) => i !== 2),
      want.filter((__, i) => i !== 2),
      CLOSE,
    );
    const counted = tf.tensor1d([1, 1, 0, 1, 1, 1]);
    const {grads} = tf.valueAndGrads((...towers: tf.Tensor[]) =>
      tf.sum(tf.mul(tf.where(tf.equal(counted, 1), loss([], towers), 0), counted)),
    )(given);
    expect(grads.flatMap((gradient) => Array.from(gradient.dataSync())).every(Number.isFinite)).toBe(true);
  });

  it('trains two towers by jointLoss in a step, in every strategy', () => {
    const built = () => {
      const [ofQuery, ofDocument] = [input({shape: [3]}), input({shape: [3]})];
      const dense = (seed: number) =>
        layers.dense({units: 2, kernelInitializer: {className: 'GlorotNormal', config: {seed}} as never});
      return model({
        inputs: [ofQuery, ofDocument],
        outputs: [dense(1).apply(ofQuery) as SymbolicTensor, dense(2).apply(ofDocument) as SymbolicTensor],
      });
    };
    for (const backward of ['masked', 'pruned', 'auto'] as const) {
      const towers = built();
      const [before, variables] = [
        towers.getWeights().map((weight) => Array.from(weight.dataSync())),
        towers.trainableWeights.map((weight) => weight.read() as tf.Variable),
      ];
      const {grads} = tf.variableGrads(() => {
        const [q, d] = towers.apply([queries(), documents()]) as tf.Tensor[];
        return tf.mean(inBatchSoftmax({scale: 4})([], [q as tf.Tensor, d as tf.Tensor])) as tf.Scalar;
      }, variables);
      const step = ohemStep(towers, {
        loss: jointLoss(inBatchSoftmax({scale: 4})),
        select: all(),
        optimizer: tf.train.sgd(1),
        backward,
      });
      const none = tf.zeros([size, 1]);
      step([queries(), documents()], [none, none]).dispose();
      const taken = towers
        .getWeights()
        .map((weight, w) => Array.from(weight.dataSync(), (value, i) => (before[w]?.[i] as number) - value));
      expectSameDirection(
        taken.flat(),
        variables.flatMap(({name}) => Array.from((grads[name] as tf.Tensor).dataSync())),
        1e-3,
        1e-6,
      );
    }
  });
});

describeOnBackends('hardContrastive', () => {
  it.each(hcl.cases.map((one) => [one.name, one] as const))(
    'is that of the authors, with its gradients: %s',
    (_, one) => {
      const {temperature, beta, tau_plus: tauPlus, estimator} = one.params;
      const loss = hardContrastive(
        estimator === 'easy' ? {temperature, beta: 0, tauPlus: 0} : {temperature, beta, tauPlus},
      );
      const views = [one.view_1, one.view_2].map((values) => tf.tensor2d(values, [one.B, one.D]));
      const {losses, gradients} = evaluated(loss, views);
      expectClose([losses.reduce((sum, value) => sum + value, 0) / one.B], [one.value], CLOSE);
      // The authors take rows of length 1 as they are; of their gradient, the part along a row is
      // not wanted here.
      const theirs = [one.grad_view_1, one.grad_view_2].map((gradient, v) => {
        const rows = tf.tensor2d(gradient, [one.B, one.D]);
        const along = tf.mul(views[v] as tf.Tensor, tf.sum(tf.mul(rows, views[v] as tf.Tensor), 1, true));
        return Array.from(tf.sub(rows, along).dataSync());
      });
      expectSameDirection(gradients.flat(), theirs.flat(), 3e-3, 2e-5);
    },
  );

  it('does not overflow at a small temperature, and is 0 for a single row', () => {
    const views = [
      tf.tensor2d([
        [1, 0],
        [0, 1],
        [-1, 0.1],
      ]),
      tf.tensor2d([
        [1, 0.1],
        [0.2, 1],
        [1, 0],
      ]),
    ];
    for (const tauPlus of [0, 0.1, 0.5]) {
      const {losses, gradients} = evaluated(hardContrastive({temperature: 0.005, tauPlus}), views);
      expect([...losses, ...gradients.flat()].every(Number.isFinite)).toBe(true);
      expect(losses[2]).toBeGreaterThan(100);
    }
    const one = views.map((view) => tf.slice(view, [0, 0], [1, 2]));
    expect(evaluated(hardContrastive(), one).losses).toEqual([0]);
  });

  it('leaves out a row of which a view is not finite', () => {
    const rows = [
      [1, 0],
      [0, 1],
      [-1, 0.1],
    ];
    const other = [
      [1, 0.1],
      [Number.NaN, 1],
      [1, 0],
    ];
    const losses = hardContrastive()([], [tf.tensor2d(rows), tf.tensor2d(other)]).dataSync();
    const [first, , third] = losses;
    expect(losses[1]).toBeNaN();
    const without = (list: number[][]) => tf.tensor2d([list[0], list[2]] as number[][]);
    expectClose([first as number, third as number], hardContrastive()([], [without(rows), without(other)]), CLOSE);
  });
});
