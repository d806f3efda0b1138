/** @file What the types let pass and what they do not. Checked by `tsc --noEmit`; it is never run. */
import {type Scalar, type Tensor, type Tensor1D, tensor1d, tensor2d, tidy, topk, train} from '@tensorflow/tfjs-core';
import {callbacks, type History, type LayersModel, type ModelFitArgs} from '@tensorflow/tfjs-layers';
import {
  all,
  type BackwardStrategy,
  binaryCrossentropy,
  categoricalCrossentropy,
  type FitOhemArgs,
  fitOhem,
  fitOhemDataset,
  fromLayersLoss,
  halfSquaredError,
  type Keep,
  meanSquaredError,
  type OhemHistory,
  type OhemStep,
  ohemLoss,
  ohemStep,
  type PerSampleLoss,
  type Reduction,
  randomK,
  resumeTraining,
  type SavingOptions,
  type Selection,
  type SelectionContext,
  type Selector,
  type StepReport,
  type StepSummary,
  sparseCategoricalCrossentropy,
  type TrainingState,
  topK,
} from 'ohem-tfjs';
import type {PerSampleLoss as LossOfLosses} from 'ohem-tfjs/losses';
import {resumeTraining as resumeFromFolder} from 'ohem-tfjs/node';
import type {Selector as SelectorOfSelectors} from 'ohem-tfjs/selectors';
import type {OhemStep as StepOfTrainers} from 'ohem-tfjs/trainers';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expectTypeOf} from 'vitest';

declare const model: LayersModel;
declare const yTrue: Tensor;
declare const yPred: Tensor;
const losses = tensor1d([1, 2]);

// Selectors: how many to keep
expectTypeOf(topK({k: 1})).toEqualTypeOf<Selector>();
expectTypeOf(topK({ratio: 0.5})).toEqualTypeOf<Selector>();
expectTypeOf(topK({ratio: 0.5, minK: 2})).toEqualTypeOf<Selector>();
expectTypeOf(all()).toEqualTypeOf<Selector>();
expectTypeOf(randomK({k: 1, seed: 3})).toEqualTypeOf<Selector>();
expectTypeOf(randomK({ratio: 0.5})).toEqualTypeOf<Selector>();
expectTypeOf<Keep>().toExtend<Parameters<typeof topK>[0]>();
// @ts-expect-error neither k nor ratio
topK({});
// @ts-expect-error no options at all
topK();
// @ts-expect-error a minimum goes with a ratio
topK({minK: 2});
// @ts-expect-error a number of rows is a number
topK({k: '3'});
// @ts-expect-error no such option
topK({k: 3, kept: 3});
// @ts-expect-error neither k nor ratio
randomK({seed: 3});
// @ts-expect-error a seed is a number
randomK({k: 3, seed: 'x'});
// @ts-expect-error nothing to choose
all({k: 3});

// A selection
const selection: Selection = topK({k: 1})(losses);
expectTypeOf(selection.indices).toEqualTypeOf<Tensor1D>();
expectTypeOf(selection.weights).toEqualTypeOf<Tensor1D>();
expectTypeOf(tidy(() => topK({k: 1})(losses, {step: 3, valid: tensor1d([1, 0])}))).toEqualTypeOf<Selection>();
// @ts-expect-error losses of a batch have one axis
topK({k: 1})(tensor2d([[1, 2]]));
// @ts-expect-error not in the context
topK({k: 1})(losses, {steps: 3});

// A selector of one's own
const firstOf =
  (k: number): Selector =>
  (ofRows, {step = 0} = {}) =>
    tidy(() => {
      const {values, indices} = topk(ofRows, k + step);
      return {indices: indices as Tensor1D, weights: values as Tensor1D};
    });
const byTruth: Selector = (ofRows, context?: SelectionContext) => {
  expectTypeOf(context?.yTrue).toEqualTypeOf<Tensor | undefined>();
  expectTypeOf(context?.valid).toEqualTypeOf<Tensor1D | undefined>();
  return {indices: ofRows, weights: ofRows};
};
// @ts-expect-error a selection has weights
const withoutWeights: Selector = (ofRows) => ({indices: ofRows});

// Losses
for (const loss of [
  categoricalCrossentropy({fromLogits: true, labelSmoothing: 0.1, classWeights: [1, 2] as const}),
  sparseCategoricalCrossentropy({fromLogits: true, ignoreLabel: 255, classWeights: [1, 2]}),
  binaryCrossentropy({fromLogits: true, labelSmoothing: 0.1}),
  meanSquaredError(),
  halfSquaredError(),
  fromLayersLoss('hinge'),
  fromLayersLoss((truth, predicted) => (truth.size > 0 ? truth : predicted)),
]) {
  expectTypeOf(loss).toEqualTypeOf<PerSampleLoss>();
  expectTypeOf(loss(yTrue, yPred)).toEqualTypeOf<Tensor>();
  expectTypeOf(loss.valid).toEqualTypeOf<((truth: Tensor) => Tensor) | undefined>();
}
// @ts-expect-error no such option
categoricalCrossentropy({fromLogit: true});
// @ts-expect-error only integer labels can be ignored
categoricalCrossentropy({ignoreLabel: 255});
// @ts-expect-error one-hot labels are smoothed elsewhere
sparseCategoricalCrossentropy({labelSmoothing: 0.1});
// @ts-expect-error a loss compares two tensors
categoricalCrossentropy()(yPred);

// A loss of one's own, with and without rows that do not count
const own: PerSampleLoss = (truth, predicted) => (truth.rank > 0 ? truth : predicted);
const withValid: PerSampleLoss = Object.assign((truth: Tensor, predicted: Tensor) => (truth ? predicted : truth), {
  valid: (truth: Tensor) => truth,
});
// @ts-expect-error a loss is a tensor, not a number
const notATensor: PerSampleLoss = () => 3;

// Steps
const step = ohemStep(model);
expectTypeOf(step).toEqualTypeOf<OhemStep>();
expectTypeOf(step.strategy).toEqualTypeOf<'auto' | BackwardStrategy>();
expectTypeOf<'masked'>().toExtend<BackwardStrategy>();
expectTypeOf<'recompute'>().toExtend<BackwardStrategy>();
expectTypeOf(step.why).toEqualTypeOf<string>();
expectTypeOf(step.dispose()).toEqualTypeOf<void>();
// @ts-expect-error the step says how it goes, nobody tells it
step.strategy = 'masked';

ohemStep(model, {
  loss: own,
  select: firstOf(3),
  optimizer: train.adam(),
  reduction: 'batchMean',
  rankBy: 'raw',
  backward: 'recompute',
  clipNorm: 1,
});
ohemStep(model, {loss: 'meanSquaredError', select: byTruth, lossWeights: {a: 1, b: 2}});
ohemStep(model, {loss: [own, 'hinge'], lossWeights: [1, 2]});
ohemStep(model, {loss: {a: withValid, b: 'hinge'}});
// @ts-expect-error not a reduction
ohemStep(model, {reduction: 'max'});
// @ts-expect-error not a way to the gradients
ohemStep(model, {backward: 'fast'});
// @ts-expect-error an optimizer is no name here
ohemStep(model, {optimizer: 'sgd'});
// @ts-expect-error a selector is a function
ohemStep(model, {select: {k: 3}});
// @ts-expect-error no such option
ohemStep(model, {selector: all()});
// @ts-expect-error no model
ohemStep();

const report = step(yPred, yTrue, {sampleWeight: [1, 2], classWeight: {0: 1, 1: 5}, valid: losses, step: 3});
expectTypeOf(report).toEqualTypeOf<StepReport>();
expectTypeOf(report.loss).toEqualTypeOf<Scalar>();
expectTypeOf(report.losses).toEqualTypeOf<Tensor1D>();
expectTypeOf(report.selection).toEqualTypeOf<Selection>();
expectTypeOf(report.read()).toEqualTypeOf<Promise<StepSummary>>();
expectTypeOf<StepSummary>().toEqualTypeOf<{loss: number; batchLoss: number; kept: number; nonFinite: number}>();
step([yPred], {out: yTrue}, {sampleWeight: losses});
step({in: yPred}, yTrue, {sampleWeight: new Float32Array(2), classWeight: [{0: 1}, null]});
// @ts-expect-error arrays are no tensors
step([[1, 2]], yTrue);
// @ts-expect-error nothing to learn from
step(yPred);

// For compile
model.compile({optimizer: 'sgd', loss: ohemLoss(own, topK({k: 3}), {reduction: 'sum'})});
expectTypeOf(ohemLoss(own)).toEqualTypeOf<(truth: Tensor, predicted: Tensor) => Tensor1D>();
expectTypeOf<Reduction>().toEqualTypeOf<'mean' | 'sum' | 'batchMean'>();
// @ts-expect-error a loss by its name is for ohemStep
ohemLoss('hinge');
// @ts-expect-error not a reduction
ohemLoss(own, all(), {reduction: 'none'});

// The parts have the same types
expectTypeOf<LossOfLosses>().toEqualTypeOf<PerSampleLoss>();
expectTypeOf<SelectorOfSelectors>().toEqualTypeOf<Selector>();
expectTypeOf<StepOfTrainers>().toEqualTypeOf<OhemStep>();
expectTypeOf(enableWasmTraining()).toEqualTypeOf<() => void>();

// What is declared only to be refused
export {notATensor, withoutWeights};

// Fit with mining: the arguments of tfjs's fit, and more
expectTypeOf(
  fitOhem(model, yTrue, [yTrue], {epochs: 2, callbacks: [{onEpochEnd: () => {}}, callbacks.earlyStopping()]}),
).toEqualTypeOf<Promise<OhemHistory>>();
expectTypeOf<ModelFitArgs['callbacks']>().toExtend<FitOhemArgs['callbacks'] | undefined>();
expectTypeOf<OhemHistory>().toExtend<History>();
void fitOhem(model, yTrue, yTrue, {initialState: undefined as TrainingState | undefined});
// @ts-expect-error no such option
void fitOhem(model, yTrue, yTrue, {epoch: 2});
declare const ofTfData: {iterator(): Promise<{next(): Promise<IteratorResult<unknown>>}>};
void fitOhemDataset(model, ofTfData, {batchesPerEpoch: 3});
void fitOhemDataset(model, () => [{xs: yTrue, ys: yTrue, index: [1, 2]}].values());
// @ts-expect-error batches have xs and ys
void fitOhemDataset(model, [{xs: yTrue}]);
expectTypeOf(resumeTraining('indexeddb://run', model)).toEqualTypeOf<Promise<TrainingState | undefined>>();
expectTypeOf(resumeFromFolder).toEqualTypeOf<
  (folder: string, of: LayersModel, options?: SavingOptions) => Promise<TrainingState | undefined>
>();
