import {cast, mean, neg, type Tensor, tensor, tensor1d, tidy, train, zeros} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {
  categoricalCrossentropy,
  meanSquaredError,
  type OhemStepOptions,
  ohemStep,
  type StepOptions,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {sequenceModel, sequencesFrom} from '../support/sequenceModel';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const right = (): OhemStepOptions => ({
  loss: sparseCategoricalCrossentropy(),
  select: topK({k: 2}),
  optimizer: train.sgd(0.1),
  granularity: 'element',
});

describeOnBackends('ohemStep that mines elements', () => {
  describe('refuses, when it is built,', () => {
    it.each(['pruned', 'recompute'] as const)('to run backward by %s', (backward) => {
      expect(() => ohemStep(sequenceModel(3), {...right(), backward})).toThrow(
        `ohemStep: backward must be one of auto, masked for elements, got ${backward}. ` +
          'Elements of every row may be kept, so all rows run backward.',
      );
    });

    it('an unknown granularity', () => {
      expect(() => ohemStep(sequenceModel(3), {...right(), granularity: 'pixel' as never})).toThrow(
        "ohemStep: granularity must be one of sample, element, got 'pixel'.",
      );
    });
  });

  describe('refuses, before any weight changes,', () => {
    type Call = {options?: OhemStepOptions; model?: Sequential; ys?: Tensor; with?: StepOptions};
    const perPlace =
      'ohemStep: loss must return one value for each element, float32 of shape [6] for yPred of shape [6, 2]';
    const rows = 'It gets elements as rows: reduce over the last axis, and over no other.';
    const outputOf = 'must have the shape of the output';
    const axes = ', with or without its last axis: [?, 3, …] or [?, 3], got';
    const refusals: [string, () => Call, RegExp | string][] = [
      [
        'labels of other rows',
        () => ({ys: zeros([3, 3], 'int32')}),
        'ohemStep: ys must have as many rows as xs, 2, got 3.',
      ],
      [
        'labels for whole rows',
        () => ({ys: tensor1d([0, 1], 'int32')}),
        new RegExp(`^ohemStep: ys ${outputOf} dense_\\w+${escaped(`${axes} [2, 1].`)}$`),
      ],
      [
        'labels of other elements',
        () => ({ys: zeros([2, 5], 'int32')}),
        new RegExp(`^ohemStep: ys ${outputOf} dense_\\w+${escaped(`${axes} [2, 5].`)}$`),
      ],
      [
        'labels with an axis too many',
        () => ({ys: zeros([2, 3, 1, 1], 'int32')}),
        new RegExp(`^ohemStep: ys ${outputOf} dense_\\w+${escaped(`${axes} [2, 3, 1, 1].`)}$`),
      ],
      [
        'labels of other elements for a model that takes any number of them',
        () => ({model: sequenceModel(null), ys: zeros([2, 5], 'int32')}),
        new RegExp(`^ohemStep: ys ${outputOf} dense_\\w+${escaped(`${axes} [2, 5].`)}$`),
      ],
      [
        'rows without elements',
        () => ({model: sequenceModel(null), ys: zeros([2, 0], 'int32')}),
        'ohemStep: ys must have at least one element, got [2, 0].',
      ],
      ['a loss that is a scalar', () => ({options: {loss: (_, yPred) => mean(yPred)}}), `${perPlace}, got []. ${rows}`],
      [
        'a loss that keeps the classes',
        () => ({options: {loss: (_, yPred) => neg(yPred)}}),
        `${perPlace}, got [6, 2]. ${rows}`,
      ],
      [
        'a loss of integers',
        () => ({options: {loss: (_, yPred) => cast(mean(yPred, 1), 'int32')}}),
        `${perPlace}, got int32 of shape [6]. ${rows}`,
      ],
      [
        'a loss that gives each row one value',
        () => ({options: {loss: () => zeros([2])}}),
        `${perPlace}, got [2]. ${rows}`,
      ],
      [
        'a loss that is no tensor',
        () => ({options: {loss: (() => 3) as never}}),
        'ohemStep: loss must return a tensor, got 3.',
      ],
      [
        'one-hot labels for the sparse loss',
        () => ({ys: zeros([2, 3, 2])}),
        'sparseCategoricalCrossentropy: yTrue must have the shape of yPred without its classes, [6], got [6, 2].',
      ],
      [
        'labels for the one-hot loss',
        () => ({options: {loss: categoricalCrossentropy()}}),
        'categoricalCrossentropy: yTrue must have the shape of yPred, [6, 2], got [6, 1].',
      ],
      [
        'a label out of range',
        () => ({ys: tensor(Array(6).fill(7), [2, 3], 'int32')}),
        'sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 1, got 7 at position 0.',
      ],
      [
        'sample weights of another shape',
        () => ({with: {sampleWeight: zeros([6])}}),
        'ohemStep: sampleWeight must have shape [2], one value for each row, or [2, 3], one for each element, got [6].',
      ],
      [
        'sample weights in lists of numbers',
        () => ({with: {sampleWeight: [[1, 2, 3]] as never}}),
        'ohemStep: sampleWeight must be a tensor or numbers, got [1, 2, 3]. Make one with tf.tensor().',
      ],
      [
        'sample weights that are negative',
        () => ({with: {sampleWeight: tensor([...Array(5).fill(1), -1], [2, 3])}}),
        'ohemStep: sampleWeight must hold numbers >= 0, got -1 at position 5.',
      ],
      [
        'class weights that are negative',
        () => ({with: {classWeight: {1: -1}}}),
        'ohemStep: classWeight must hold finite numbers >= 0, got [-1].',
      ],
      [
        'boxes of another shape',
        () => ({with: {boxes: zeros([6, 5])}}),
        'ohemStep: boxes must have shape [6, 4] or [2, 3, 4], one value for each element, got [6, 5].',
      ],
      ...(['valid', 'positive', 'group', 'reference'] as const).flatMap((name): [string, () => Call, string][] => [
        [
          `${name} for whole rows`,
          () => ({with: {[name]: zeros([2])}}),
          `ohemStep: ${name} must have shape [6] or [2, 3], one value for each element, got [2].`,
        ],
        [
          `${name} as numbers`,
          () => ({with: {[name]: [1, 2, 3] as never}}),
          `ohemStep: ${name} must be a tensor of shape [6] or [2, 3], got [1, 2, 3]. Make one with tf.tensor().`,
        ],
      ]),
    ];
    it.each(refusals)('%s', (_, call, message) => {
      const model = call().model ?? sequenceModel(3);
      const before = weightValues(model);
      tidy(() => {
        const sequences = sequencesFrom(1, 2, 3);
        const {options = {}, ys = sequences.ys, ...rest} = call();
        const step = ohemStep(model, {...right(), ...options});
        expect(() => step(sequences.xs, ys, rest.with)).toThrow(message);
      });
      expect(weightValues(model)).toEqual(before);
    });
  });

  it('lets a loss of one value a row pass where a row is one element', () => {
    const step = ohemStep(tinyModel(), {...right(), loss: meanSquaredError()});
    expect(step(tinyXs(), tinyYs()).losses.shape).toEqual([6]);
  });

  it('keeps the limits of class weights where rows are mined', () => {
    const model = sequential({layers: [layers.dense({units: 2, inputShape: [4, 2]})]});
    const step = ohemStep(model, {...right(), loss: meanSquaredError(), granularity: 'sample'});
    expect(() => step(zeros([3, 4, 2]), zeros([3, 4, 2]), {classWeight: {0: 1}})).toThrow(
      'ohemStep: classWeight must go with ys of shape [B, 1] or [B, C], got [3, 4, 2]. ' +
        'For further axes pass the weights to the loss: {classWeights: […]}.',
    );
  });
});

function escaped(text: string): string {
  return text.replace(/[[\]?.…]/g, '\\$&');
}
