/**
 * @file What the types let pass and what they do not. Checked by `tsc --noEmit`; it is never run.
 */
import {type Scalar, type Tensor, type Tensor1D, tensor1d, tensor2d, tidy, topk, train} from '@tensorflow/tfjs-core';
import {callbacks, type History, type LayersModel, type ModelFitArgs} from '@tensorflow/tfjs-layers';
import {
  accuracySteps,
  all,
  type BackendSuggestion,
  type BackwardStrategy,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  categoricalCrossentropy,
  categoricalFocalCrossentropy,
  categoricalHinge,
  checkGradients,
  constant,
  cosine,
  cosineSimilarity,
  coTeaching,
  crossValidated,
  type FitOhemArgs,
  fitOhem,
  fitOhemDataset,
  fromLayersLoss,
  type GradientCheck,
  type Granularity,
  gradientNormBound,
  type HardExample,
  halfSquaredError,
  hardestExamples,
  hinge,
  huber,
  importanceSampling,
  inverseSqrt,
  type Keep,
  type KeepSchedule,
  kullbackLeiblerDivergence,
  type LabelIssues,
  type LearningRateSchedule,
  type Ledger,
  type Losses,
  type LossHistogram,
  type LossName,
  labelIssues,
  linear,
  logCosh,
  lossHistogram,
  type MiningLedger,
  type MiningLedgerJSON,
  mapSelector,
  meanAbsoluteError,
  meanSquaredError,
  miningLedger,
  multiMargin,
  type OhemHistory,
  type OhemStep,
  ohemLoss,
  ohemStep,
  oneCycle,
  type PerSampleLoss,
  percentileSampling,
  perSampleLosses,
  poisson,
  type RateByProgress,
  type Reduction,
  randomK,
  rankPressure,
  rankSampling,
  reducibleLoss,
  resumeTraining,
  type SavingOptions,
  type ScheduledSelector,
  type Score,
  type Selection,
  type SelectionContext,
  type SelectionMap,
  type Selector,
  type StepReport,
  type StepSummary,
  scheduled,
  scored,
  smoothL1,
  sparseCategoricalCrossentropy,
  squaredHinge,
  stepDecay,
  suggestBackend,
  type TrainingProgress,
  type TrainingState,
  topK,
  weightedSum,
  window,
} from 'ohem-tfjs';
import type {MiningLedger as LedgerOfInsight} from 'ohem-tfjs/insight';
import type {PerSampleLoss as LossOfLosses} from 'ohem-tfjs/losses';
import {resumeTraining as resumeFromFolder} from 'ohem-tfjs/node';
import {
  earlyStopped,
  easiestFirst,
  hardestRows,
  infoBatch,
  kakurenbo,
  type LossHistory,
  randomSubset,
  type Sampler,
  stale,
} from 'ohem-tfjs/samplers';
import type {KeepSchedule as ScheduleOfSchedules} from 'ohem-tfjs/schedules';
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

// Selectors that draw
expectTypeOf(rankSampling({ratio: 0.5, seed: 3})).toEqualTypeOf<Selector>();
expectTypeOf(percentileSampling({power: 2, historyLength: 9, minProbability: 0.1, seed: 3})).toEqualTypeOf<Selector>();
expectTypeOf(rankPressure({ratio: 0.5, minK: 2, pressure: 10, seed: 3})).toEqualTypeOf<Selector>();
expectTypeOf(importanceSampling({k: 3, seed: 3})).toEqualTypeOf<Selector>();
expectTypeOf(percentileSampling({power: 2}).remember?.(losses, {memory: losses})).toEqualTypeOf<Tensor1D | undefined>();
// @ts-expect-error a ratio is what it is about
rankSampling({seed: 3});
// @ts-expect-error draws with replacement are counted
importanceSampling({ratio: 0.5});
// @ts-expect-error no pressure
rankPressure({k: 3});

// Scores
expectTypeOf(reducibleLoss()).toEqualTypeOf<Score>();
expectTypeOf(scored(topK({k: 1}), gradientNormBound({fromLogits: true}))).toEqualTypeOf<Selector>();
scored(topK({k: 1}), (ofRows, {reference}) => reference ?? ofRows);
// @ts-expect-error a score is a tensor
scored(topK({k: 1}), () => 3);

// Schedules
expectTypeOf(scheduled(topK, constant(0.5))).toEqualTypeOf<ScheduledSelector<null>>();
expectTypeOf(scheduled(topK, accuracySteps()).schedule.init()).toEqualTypeOf<{divisor: number}>();
expectTypeOf(scheduled(topK, linear({from: 1, to: 0.5, steps: 9}))).toExtend<Selector>();
expectTypeOf<Selector['schedule']>().toEqualTypeOf<KeepSchedule | undefined>();
scheduled(({ratio}) => rankSampling({ratio, seed: 3}), window({start: 1, end: 9}));
const halved: KeepSchedule<number> = {
  init: () => 1,
  ratio: (state, {step}) => (step < 9 ? 1 : state),
  next: (state, {accuracy = 0}) => (accuracy > 0.9 ? state / 2 : state),
};
scheduled(topK, halved);
// @ts-expect-error a schedule is no number
scheduled(topK, 0.5);
// @ts-expect-error a selector is no way to make one
scheduled(topK({k: 3}), constant(0.5));

// Learning rates
for (const rate of [
  cosine({from: 0.1, to: 0.001, warmup: 0.05}),
  inverseSqrt({from: 0.1, warmup: 0.1}),
  oneCycle({max: 1, pctStart: 0.3, divFactor: 25, finalDiv: 1e4}),
  stepDecay([[0.5, 0.1]] as const, {from: 0.1, warmup: 0.05}),
]) {
  expectTypeOf(rate).toEqualTypeOf<RateByProgress>();
  expectTypeOf(rate).toExtend<LearningRateSchedule>();
  expectTypeOf(rate({progress: 0.5})).toEqualTypeOf<number>();
}
const ownRate: LearningRateSchedule = ({step, epoch, progress}) => (step + epoch) * progress;
expectTypeOf(ownRate).parameter(0).toEqualTypeOf<TrainingProgress>();
// @ts-expect-error a rate is a number
const noRate: LearningRateSchedule = () => '0.1';
// @ts-expect-error nothing to fall from
cosine();
// @ts-expect-error no rate to multiply
stepDecay([[0.5, 0.1]]);
// @ts-expect-error a share with no factor
stepDecay([0.5], {from: 0.1});
// @ts-expect-error no such option
oneCycle({max: 1, from: 0.1});

// Wrappers
const asItIs: SelectionMap = (selection) => selection;
expectTypeOf(mapSelector(topK({k: 1}), asItIs)).toEqualTypeOf<Selector>();
expectTypeOf(mapSelector(scheduled(topK, accuracySteps()), asItIs)).toEqualTypeOf<
  ScheduledSelector<{divisor: number}>
>();
expectTypeOf(
  mapSelector(mapSelector(scheduled(topK, constant(1)), asItIs), asItIs).schedule.init(),
).toEqualTypeOf<null>();
mapSelector(topK({k: 1}), ({indices, weights}, ofRows, {step = 0}) => {
  expectTypeOf(ofRows).toEqualTypeOf<Tensor1D>();
  return {indices, weights: step > 9 ? weights : ofRows};
});
// @ts-expect-error no selection
mapSelector(topK({k: 1}), ({weights}) => weights);
// @ts-expect-error no function
mapSelector(topK({k: 1}));
// @ts-expect-error a way to make a selector is no selector
mapSelector(topK, asItIs);
percentileSampling({power: 2})(losses, {memory: null});

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
const remembering: Selector = (ofRows, context) => {
  expectTypeOf(context?.memory).toEqualTypeOf<Tensor1D | null | undefined>();
  return topK({k: 1})(ofRows, context);
};
remembering.remember = (ofRows) => ofRows;
// @ts-expect-error what is remembered is a tensor
remembering.remember = () => 3;
// @ts-expect-error a selection has weights
const withoutWeights: Selector = (ofRows) => ({indices: ofRows});

// Losses
for (const loss of [
  categoricalCrossentropy({fromLogits: true, labelSmoothing: 0.1, classWeights: [1, 2] as const}),
  sparseCategoricalCrossentropy({fromLogits: true, ignoreLabel: 255, classWeights: [1, 2]}),
  binaryCrossentropy({fromLogits: true, labelSmoothing: 0.1}),
  meanSquaredError(),
  halfSquaredError(),
  binaryFocalCrossentropy({fromLogits: true, gamma: 2, alpha: 0.25}),
  categoricalFocalCrossentropy({fromLogits: true, gamma: 2, alpha: 0.25}),
  categoricalFocalCrossentropy({alpha: [0.25, 0.5] as const}),
  meanAbsoluteError(),
  huber({delta: 2}),
  smoothL1({beta: 2}),
  logCosh(),
  hinge(),
  squaredHinge(),
  categoricalHinge(),
  multiMargin({margin: 2}),
  kullbackLeiblerDivergence(),
  poisson(),
  cosineSimilarity(),
  weightedSum([{loss: hinge()}, {loss: logCosh(), weight: 2}] as const),
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
// @ts-expect-error one alpha for a yes, and not one a label
binaryFocalCrossentropy({alpha: [0.25, 0.5]});
// @ts-expect-error the name of smoothL1
huber({beta: 1});
// @ts-expect-error the name of a loss is for fromLayersLoss
weightedSum([{loss: 'hinge', weight: 1}]);
// @ts-expect-error a list
weightedSum({loss: hinge(), weight: 1});
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
// @ts-expect-error the step reports this, it is no option
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
// @ts-expect-error a misspelt name
ohemStep(model, {loss: 'categoricalCrossEntropy'});
// @ts-expect-error a misspelt name in a list
ohemStep(model, {loss: [own, 'mse']});
// @ts-expect-error a misspelt name in a record
void fitOhem(model, yTrue, yTrue, {loss: {a: 'meanSquareError'}});
// @ts-expect-error a misspelt name
fromLayersLoss('mape');
expectTypeOf<LossName>().toExtend<Losses>();
ohemStep(model, {loss: JSON.parse('"hinge"') as LossName});
ohemStep(model, {granularity: 'element', backward: 'masked'});
expectTypeOf<Granularity>().toEqualTypeOf<'sample' | 'element'>();
// @ts-expect-error rows or elements
ohemStep(model, {granularity: 'pixel'});
// @ts-expect-error not a reduction
ohemStep(model, {reduction: 'max'});
// @ts-expect-error not a way to the gradients
ohemStep(model, {backward: 'fast'});
ohemStep(model, {optimizer: 'sgd'});
// @ts-expect-error no optimizer of that name
ohemStep(model, {optimizer: 'sdg'});
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
step(yPred, yTrue, {sampleWeight: yTrue, valid: yTrue, positive: yTrue, group: yTrue, reference: yTrue, boxes: yTrue});
step(yPred, yTrue, {memory: losses, schedule: {divisor: 2}});
// @ts-expect-error not in the context
step(yPred, yTrue, {labels: yTrue});
// @ts-expect-error a memory has one axis
step(yPred, yTrue, {memory: tensor2d([[1]])});
step({in: yPred}, yTrue, {sampleWeight: new Float32Array(2), classWeight: [{0: 1}, null]});
// @ts-expect-error arrays are no tensors
step([[1, 2]], yTrue);
// @ts-expect-error nothing to learn from
step(yPred);

// For compile
model.compile({optimizer: 'sgd', loss: ohemLoss(own, topK({k: 3}), {reduction: 'sum'})});
model.compile({optimizer: 'sgd', loss: ohemLoss(own, all(), {granularity: 'element'})});
expectTypeOf(ohemLoss(own)).toEqualTypeOf<(truth: Tensor, predicted: Tensor) => Tensor1D>();
expectTypeOf<Reduction>().toEqualTypeOf<'mean' | 'sum' | 'batchMean' | 'meanNonZero'>();
// @ts-expect-error a loss by its name is for ohemStep
ohemLoss('hinge');
// @ts-expect-error not a reduction
ohemLoss(own, all(), {reduction: 'none'});
// @ts-expect-error rows or elements
ohemLoss(own, all(), {granularity: 'row'});

// Insight
expectTypeOf(perSampleLosses(model, yPred, yTrue)).toEqualTypeOf<Promise<Float32Array>>();
await perSampleLosses(model, {in: yPred}, [yTrue], {loss: [own, 'hinge'], lossWeights: {out: 2}, batchSize: 64});
expectTypeOf(hardestExamples(model, yPred, yTrue, {loss: own, count: 5})).toEqualTypeOf<Promise<HardExample[]>>();
// @ts-expect-error the number is `count`
await hardestExamples(model, yPred, yTrue, {n: 5});
// @ts-expect-error arrays are no tensors
await perSampleLosses(model, [[1, 2]], yTrue);
expectTypeOf(lossHistogram(new Float32Array(2), {bins: 3, min: 0, max: 1})).toEqualTypeOf<LossHistogram>();
expectTypeOf(lossHistogram([1, 2])).toEqualTypeOf<LossHistogram>();
expectTypeOf(lossHistogram(report.losses)).toEqualTypeOf<Promise<LossHistogram>>();
const ledger = miningLedger(10);
expectTypeOf(ledger).toEqualTypeOf<MiningLedger>();
expectTypeOf(ledger.observe([1, 2], report)).toEqualTypeOf<Promise<void>>();
await ledger.observe(losses, report);
ledger.record(new Int32Array(2), [1, 2], new Uint8Array(2));
expectTypeOf<MiningLedger>().toExtend<Ledger>();
expectTypeOf(ledger.suspects(3)).toEqualTypeOf<Int32Array>();
expectTypeOf(ledger.toJSON()).toEqualTypeOf<MiningLedgerJSON>();
expectTypeOf(miningLedger.fromJSON(JSON.parse('{}'))).toEqualTypeOf<MiningLedger>();
// @ts-expect-error what was kept is to be said
ledger.record([1], [2]);
expectTypeOf(labelIssues({labels: [0, 1], probabilities: [[1, 0]]})).toEqualTypeOf<LabelIssues>();
expectTypeOf(labelIssues({labels: [[0, 1]], probabilities: [[1, 0]]})).toEqualTypeOf<LabelIssues[]>();
expectTypeOf(labelIssues({labels: [0, 1], probabilities: tensor2d([[1, 0]])})).toEqualTypeOf<Promise<LabelIssues>>();
// @ts-expect-error two models teach each other
coTeaching([model], {noiseRate: 0.5, rampSteps: 1});
// @ts-expect-error a ledger is of one run
await crossValidated(() => model, losses, losses, {fit: {ledger}});
// @ts-expect-error the size of a ledger stays
ledger.size = 3;

// Backends
expectTypeOf(suggestBackend(model, yPred, yTrue)).toEqualTypeOf<Promise<BackendSuggestion>>();
expectTypeOf(checkGradients(model, yPred, yTrue)).toEqualTypeOf<Promise<GradientCheck>>();
await suggestBackend(model, {in: yPred}, [yTrue], {
  select: all(),
  steps: 3,
  seconds: 1,
  backends: ['cpu'],
  batch: {step: 3},
});
await checkGradients(model, yPred, yTrue, {
  backend: 'webgpu',
  tolerance: 0.1,
  granularity: 'element',
  batch: {positive: yTrue},
});
expectTypeOf<BackendSuggestion['figures'][number]['milliseconds']>().toEqualTypeOf<number | undefined>();
// @ts-expect-error it tries all of them, or a list
await suggestBackend(model, yPred, yTrue, {backend: 'cpu'});
// @ts-expect-error no batch
await checkGradients(model);

// The parts have the same types
expectTypeOf<LedgerOfInsight>().toEqualTypeOf<MiningLedger>();
expectTypeOf<LossOfLosses>().toEqualTypeOf<PerSampleLoss>();
expectTypeOf<SelectorOfSelectors>().toEqualTypeOf<Selector>();
expectTypeOf<ScheduleOfSchedules>().toEqualTypeOf<KeepSchedule>();
expectTypeOf<StepOfTrainers>().toEqualTypeOf<OhemStep>();
expectTypeOf(enableWasmTraining()).toEqualTypeOf<() => void>();

// What is declared only to be refused
export {noRate, notATensor, withoutWeights};

// Fit with mining: the arguments of tfjs's fit, and more
expectTypeOf(
  fitOhem(model, yTrue, [yTrue], {epochs: 2, callbacks: [{onEpochEnd: () => {}}, callbacks.earlyStopping()]}),
).toEqualTypeOf<Promise<OhemHistory>>();
// The parameters of a handler have types, as in fit
await fitOhem(model, yTrue, yTrue, {
  callbacks: {onEpochEnd: (epoch, logs) => void [expectTypeOf(epoch).toBeNumber(), logs?.loss]},
});
await fitOhem(model, yTrue, yTrue, {callbacks: [{onBatchEnd: (batch) => void expectTypeOf(batch).toBeNumber()}]});
expectTypeOf<ModelFitArgs['callbacks']>().toExtend<FitOhemArgs['callbacks'] | undefined>();
expectTypeOf<OhemHistory>().toExtend<History>();
expectTypeOf<OhemHistory['history']>().toEqualTypeOf<Record<string, number[]>>();
const {history} = await fitOhem(model, yTrue, yTrue);
expectTypeOf(history.val_loss?.[0]).toEqualTypeOf<number | undefined>();
expectTypeOf((await fitOhemDataset(model, [])).history).toEqualTypeOf<Record<string, number[]>>();
void fitOhem(model, yTrue, yTrue, {initialState: undefined as TrainingState | undefined});
void fitOhem(model, yTrue, yTrue, {ledger, granularity: 'sample', context: {positive: yTrue}});
// @ts-expect-error no such option
void fitOhem(model, yTrue, yTrue, {epoch: 2});
declare const ofTfData: {iterator(): Promise<{next(): Promise<IteratorResult<unknown>>}>};
void fitOhemDataset(model, ofTfData, {batchesPerEpoch: 3});
void fitOhemDataset(model, () => [{xs: yTrue, ys: yTrue, index: [1, 2]}].values());
// @ts-expect-error batches have xs and ys
void fitOhemDataset(model, [{xs: yTrue}]);
expectTypeOf(resumeTraining('indexeddb://run', model)).toEqualTypeOf<Promise<TrainingState | undefined>>();
expectTypeOf(resumeFromFolder).toExtend<
  (folder: string, of: LayersModel, options?: SavingOptions) => Promise<TrainingState | undefined>
>();

// Samplers: state by type, and all of them are samplers
expectTypeOf(infoBatch({threshold: {quantile: 0.8}})).toExtend<Sampler>();
expectTypeOf(earlyStopped()).toEqualTypeOf<Sampler<LossHistory>>();
expectTypeOf(stale(kakurenbo({confidence: null}), {every: 2}).init(3)).toEqualTypeOf<{size: number}>();
randomSubset({ratio: 0.5, stratify: new Int32Array(3), seed: 'a'});
easiestFirst({growEpochs: 9, pacing: {root: 2}});
// @ts-expect-error no such threshold
infoBatch({threshold: 'median'});
// @ts-expect-error needs a ratio
hardestRows({});
// @ts-expect-error needs an end of growing
easiestFirst({start: 0.2});
// @ts-expect-error a selector ranks within a batch
stale(topK({k: 3}));
