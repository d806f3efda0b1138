import {type Tensor, tensor1d, tidy, train, zeros} from '@tensorflow/tfjs-core';
import {input, layers, model as layersModel, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {
  categoricalCrossentropy,
  type OhemStepOptions,
  ohemStep,
  type Selector,
  type StepOptions,
  type StepTensors,
  sparseCategoricalCrossentropy,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const right = (): OhemStepOptions => ({loss: categoricalCrossentropy(), optimizer: train.sgd(0.1)});

describeOnBackends('ohemStep', () => {
  describe('refuses, when it is built,', () => {
    const refusals: [string, () => unknown, string][] = [
      ['k = 0', () => topK({k: 0}), 'topK: k must be an integer >= 1, got 0.'],
      ['a negative k', () => topK({k: -3}), 'topK: k must be an integer >= 1, got -3.'],
      ['a fractional k', () => topK({k: 1.5}), 'topK: k must be an integer >= 1, got 1.5.'],
      ['k = NaN', () => topK({k: Number.NaN}), 'topK: k must be an integer >= 1, got NaN.'],
      ['ratio = 0', () => topK({ratio: 0}), 'topK: ratio must be in (0, 1], got 0.'],
      ['ratio over 1', () => topK({ratio: 1.01}), 'topK: ratio must be in (0, 1], got 1.01.'],
      ['ratio = NaN', () => topK({ratio: Number.NaN}), 'topK: ratio must be in (0, 1], got NaN.'],
      [
        'a model without optimizer',
        () => ohemStep(tinyModel(), {loss: categoricalCrossentropy()}),
        'ohemStep: optimizer must be given, or the model be compiled with one, got undefined. Pass {optimizer: tf.train.sgd(0.1)}.',
      ],
      [
        'a model without loss',
        () => ohemStep(tinyModel(), {optimizer: train.sgd(0.1)}),
        'ohemStep: loss must be given, or the model be compiled with one, got undefined. Pass {loss: categoricalCrossentropy()}.',
      ],
      [
        'a misspelt name of an optimizer',
        () => ohemStep(tinyModel(), {...right(), optimizer: 'adm' as never}),
        "ohemStep: optimizer must be an optimizer or the name of one, got 'adm'. Did you mean 'adam'?",
      ],
      [
        'a model with nothing to train',
        () => {
          const frozen = tinyModel();
          frozen.trainable = false;
          for (const layer of frozen.layers) layer.trainable = false;
          return ohemStep(frozen, right());
        },
        'ohemStep: model must have a weight to train, got none. Set trainable = true on a layer.',
      ],
      [
        'what is no model',
        () => ohemStep({} as never, right()),
        'ohemStep: model must be a LayersModel that can be built, got {}. Give its first layer an inputShape',
      ],
      [
        'a model whose input has no shape',
        () => ohemStep(sequential({layers: []}), right()),
        'ohemStep: model must be a LayersModel that can be built, got',
      ],
      [
        'what is no selector',
        () => ohemStep(tinyModel(), {...right(), select: {k: 3} as never}),
        'ohemStep: select must be a selector, got {k}. Build one: topK({ratio: 0.75}).',
      ],
      [
        'an unknown reduction',
        () => ohemStep(tinyModel(), {...right(), reduction: 'average' as never}),
        "ohemStep: reduction must be one of mean, sum, batchMean, meanNonZero, got 'average'.",
      ],
      [
        'an unknown way to rank',
        () => ohemStep(tinyModel(), {...right(), rankBy: 'loss' as never}),
        "ohemStep: rankBy must be one of weighted, raw, got 'loss'.",
      ],
      [
        'an unknown strategy',
        () => ohemStep(tinyModel(), {...right(), backward: 'twice' as never}),
        "ohemStep: backward must be one of auto, pruned, recompute, masked, got 'twice'.",
      ],
      [
        'a clipNorm that is not positive',
        () => ohemStep(tinyModel(), {...right(), clipNorm: 0}),
        'ohemStep: clipNorm must be a finite number > 0, got 0.',
      ],
      [
        'losses for more outputs than there are',
        () => ohemStep(tinyModel(), {...right(), loss: ['categoricalCrossentropy', 'meanSquaredError']}),
        'ohemStep: loss must have 1 items',
      ],
      [
        'a loss for an output that is not there',
        () => ohemStep(tinyModel(), {...right(), loss: {other: 'meanSquaredError'}}),
        'ohemStep: loss must have the names',
      ],
      [
        'a loss that is neither function nor name',
        () => ohemStep(tinyModel(), {...right(), loss: [7 as never]}),
        'ohemStep: loss must be a function or the name of a loss, got 7.',
      ],
      [
        'the name of a loss that tfjs-layers does not know',
        () => ohemStep(tinyModel(), {...right(), loss: 'catgoricalCrossEntropy' as never}),
        "ohemStep: loss must be the name of a loss of tfjs, got 'catgoricalCrossEntropy'. Did you mean 'categoricalCrossentropy'?",
      ],
      [
        'loss weights that are negative',
        () => ohemStep(tinyModel(), {...right(), lossWeights: [-1]}),
        'ohemStep: lossWeights must hold finite numbers >= 0, got [-1].',
      ],
    ];
    it.each(refusals)('%s', (_, build, message) => {
      expect(build).toThrow(message);
    });
  });

  describe('refuses, before any weight changes,', () => {
    type Call = {options?: OhemStepOptions; xs?: StepTensors; ys?: StepTensors; with?: StepOptions};
    const selecting = (make: Selector): Call => ({options: {select: make}});
    const refusals: [string, () => Call, string][] = [
      [
        'an empty batch',
        () => ({xs: zeros([0, 2]), ys: zeros([0, 2])}),
        'ohemStep: xs must have at least one row, got [0, 2].',
      ],
      [
        'xs and ys of different length',
        () => ({ys: zeros([5, 2])}),
        'ohemStep: ys must have as many rows as xs, 6, got 5.',
      ],
      ['xs of the wrong shape', () => ({xs: zeros([6, 3])}), ', [?, 2], got [6, 3].'],
      ['arrays', () => ({xs: [[1, 2]] as never}), 'ohemStep: xs must be a tensor, or tensors for'],
      [
        'nothing',
        () => ({xs: undefined as never, with: {}, ys: tinyYs(), options: {}}),
        'ohemStep: xs must be a tensor, or tensors for',
      ],
      ['too many inputs', () => ({xs: [tinyXs(), tinyXs()]}), 'ohemStep: xs must have 1 items'],
      ['an input by a wrong name', () => ({xs: {pixels: tinyXs()}}), 'ohemStep: xs must have the names'],
      [
        'a loss that returns a scalar',
        () => ({options: {loss: () => zeros([])}}),
        'ohemStep: loss must return one value for each row, float32 of shape [6] or [6, …], got [].',
      ],
      [
        'a loss of the wrong length',
        () => ({options: {loss: () => zeros([5])}}),
        'ohemStep: loss must return one value for each row, float32 of shape [6] or [6, …], got [5]. Remove the mean or the sum over the batch.',
      ],
      [
        'a loss of integers',
        () => ({options: {loss: () => zeros([6], 'int32')}}),
        'ohemStep: loss must return one value for each row, float32 of shape [6] or [6, …], got int32 of shape [6].',
      ],
      [
        'integer labels for the one-hot loss',
        () => ({ys: tensor1d([0, 1, 0, 0, 1, 1], 'int32')}),
        'categoricalCrossentropy: yTrue must have the shape of yPred, [6, 2], got [6, 1]. For integer labels use sparseCategoricalCrossentropy.',
      ],
      [
        'one-hot labels for the sparse loss',
        () => ({options: {loss: sparseCategoricalCrossentropy()}}),
        'For one-hot labels use categoricalCrossentropy.',
      ],
      [
        'labels out of range for the sparse loss',
        () => ({options: {loss: sparseCategoricalCrossentropy()}, ys: tensor1d([0, 1, 2, 0, 1, 1], 'int32')}),
        'sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 1, got 2 at position 2.',
      ],
      [
        'negative labels for the sparse loss',
        () => ({options: {loss: sparseCategoricalCrossentropy()}, ys: tensor1d([0, 1, 1, 0, 1, -1], 'int32')}),
        'sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 1, got -1 at position 5.',
      ],
      [
        'a selector that returns nothing',
        () => selecting(() => undefined as never),
        'ohemStep: select must return tensors {indices, weights}, got undefined.',
      ],
      [
        'float indices',
        () => selecting(() => ({indices: tensor1d([0, 1]), weights: tensor1d([1, 1])})),
        'ohemStep: select must return indices int32[K], got float32[2]. Row numbers are integers, as tf.topk returns them.',
      ],
      [
        'indices over the batch',
        () => selecting(() => ({indices: tensor1d([0, 6], 'int32'), weights: tensor1d([1, 1])})),
        'ohemStep: select must return indices from 0 to 5, got 6 at position 1.',
      ],
      [
        'negative indices',
        () => selecting(() => ({indices: tensor1d([-1], 'int32'), weights: tensor1d([1])})),
        'ohemStep: select must return indices from 0 to 5, got -1 at position 0.',
      ],
      [
        'weights of another length',
        () => selecting(() => ({indices: tensor1d([0, 1], 'int32'), weights: tensor1d([1])})),
        'ohemStep: select must return weights float32[2], one for each index, got float32[1].',
      ],
      [
        'negative weights',
        () => selecting(() => ({indices: tensor1d([0], 'int32'), weights: tensor1d([-1])})),
        'ohemStep: select must return finite weights >= 0, got -1 at position 0.',
      ],
      [
        'sample weights of another length',
        () => ({with: {sampleWeight: [1, 2, 3]}}),
        'ohemStep: sampleWeight must have shape [6], one value for each row, got [3].',
      ],
      [
        'class weights that are negative',
        () => ({with: {classWeight: {0: -1}}}),
        'ohemStep: classWeight must hold finite numbers >= 0, got [-1].',
      ],
      [
        'class weights by name of a class',
        () => ({with: {classWeight: {cat: 1} as never}}),
        'ohemStep: classWeight must have classes 0, 1, 2, … as keys, got [cat].',
      ],
      [
        'valid of another length',
        () => ({with: {valid: tensor1d([1, 1])}}),
        'ohemStep: valid must have shape [6], one value for each row, got [2].',
      ],
    ];

    for (const backward of ['auto', 'masked', 'recompute', 'pruned'] as const) {
      it.each(refusals)(`%s, by ${backward}`, (_, call, message) => {
        const model = tinyModel();
        const before = weightValues(model);
        tidy(() => {
          const {options = {}, xs = tinyXs(), ys = tinyYs(), ...rest} = call();
          const step = ohemStep(model, {...right(), select: topK({k: 2}), backward, ...options});
          const given = 'xs' in call() ? (call().xs as Tensor) : xs;
          expect(() => step(given, ys, rest.with)).toThrow(message);
        });
        expect(weightValues(model)).toEqual(before);
      });
    }

    it('a model whose last layer was frozen since the step was built', () => {
      const model = tinyModel();
      const step = ohemStep(model, right());
      for (const layer of model.layers) layer.trainable = false;
      expect(() => step(tinyXs(), tinyYs())).toThrow('ohemStep: model must have a weight to train, got none.');
    });

    it('inputs with different numbers of rows, and class weights that do not say for which output', () => {
      const [a, b] = [input({shape: [2], name: 'a'}), input({shape: [2], name: 'b'})];
      const both = layers.concatenate().apply([a, b]) as SymbolicTensor;
      const head = () => layers.dense({units: 2, activation: 'softmax'}).apply(both) as SymbolicTensor;
      const model = layersModel({inputs: [a, b], outputs: [head(), head()]});
      const step = ohemStep(model, right());
      const ys = [tinyYs(), tinyYs()];
      expect(() => step({a: tinyXs(), b: zeros([5, 2])}, ys)).toThrow(
        'ohemStep: xs must have the same number of rows in every input, 6, got 5 in b.',
      );
      expect(() => step({a: tinyXs()}, ys)).toThrow('ohemStep: xs must be a tensor, or tensors for a, b, got {a}.');
      expect(() => step([tinyXs(), tinyXs()], ys, {classWeight: {0: 1}})).toThrow(
        'ohemStep: classWeight must be given by output',
      );
    });

    it('class weights for truth that is no class', () => {
      const model = sequential({
        layers: [layers.reshape({targetShape: [2, 1], inputShape: [2]}), layers.dense({units: 2})],
      });
      const step = ohemStep(model, {...right(), loss: 'meanSquaredError'});
      expect(() => step(tinyXs(), zeros([6, 2, 2]), {classWeight: {0: 1}})).toThrow(
        'ohemStep: classWeight must go with ys of shape [B, 1] or [B, C], got [6, 2, 2].',
      );
    });
  });

  it('takes a selection that repeats rows: each place counts', () => {
    const model = tinyModel();
    const select: Selector = () => ({indices: tensor1d([3, 3, 0], 'int32'), weights: tensor1d([1, 2, 0])});
    const [masked, recompute] = (['pruned', 'recompute'] as const).map((backward) => {
      const fresh = tinyModel();
      ohemStep(fresh, {...right(), select, backward})(tinyXs(), tinyYs()).dispose();
      return weightValues(fresh);
    });
    expect(masked?.flat().map((value) => value.toFixed(5))).toEqual(recompute?.flat().map((value) => value.toFixed(5)));
    expect(masked).not.toEqual(weightValues(model));
  });
});
