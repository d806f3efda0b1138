/** @file The metrics a model was compiled with, as they apply to the loss in use. */

import {
  abs,
  cast,
  div,
  equal,
  greater,
  lessEqual,
  maximum,
  mul,
  oneHot,
  reshape,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import {type LayersModel, metrics as layersMetrics} from '@tensorflow/tfjs-layers';
import {binaryCrossentropy} from '../../losses/binaryCrossentropy';
import {categoricalCrossentropy} from '../../losses/categoricalCrossentropy';
import {isJoint} from '../../models/modelLosses';
import type {PerSampleLoss} from '../../types';
import type {StepSettings} from '../step/options';

export type Metric = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * How a metric combines several binary labels of a row: `'label'` judges each by itself, `'batch'`
 * counts over all labels, and a number compares rows, where this value in truth and prediction has
 * no influence. Undefined for a function of the user, about which nothing is known.
 */
type MetricKind = 'label' | 'batch' | number | undefined;

export interface CompiledMetric {
  name: string;
  metric: Metric;
  output: number;
  kind: MetricKind;
}

/** A value that is never the largest of a row, and far from overflow. */
const NEVER_LARGEST = -1e30;

/** The kinds of tfjs's metrics, by the names that `compile` takes and those in `tf.metrics`. */
const KINDS: Record<string, MetricKind> = {
  ...{binaryAccuracy: 'label', binaryCrossentropy: 'label', meanSquaredError: 'label', mse: 'label', MSE: 'label'},
  ...{meanAbsoluteError: 'label', mae: 'label', MAE: 'label'},
  ...{meanAbsolutePercentageError: 'label', mape: 'label', MAPE: 'label'},
  ...{precision: 'batch', recall: 'batch', r2Score: 'batch'},
  ...{categoricalAccuracy: NEVER_LARGEST, categoricalCrossentropy: 0, cosineProximity: 0, cosine: 0},
};

/**
 * Returns the metrics the model was compiled with. `accuracy` and `crossentropy` resolve to the
 * kind that fits the loss.
 */
export function compiledMetrics({model, losses}: StepSettings): CompiledMetric[] {
  // With several outputs, tfjs lists the total loss and the losses of the outputs first.
  const losesFirst = model.outputNames.length > 1 ? model.outputNames.length : 0;
  const compiled = (model.metricsTensors ?? []).slice(losesFirst);
  const names = (model.metricsNames ?? []).slice(losesFirst + 1);
  const given = givenMetrics(model);
  return compiled.map(([metric, output], i) => {
    const [name, asked] = [names[i] as string, given[i]];
    const loss = losses[output] ?? losses[0];
    const isBinary = !isJoint(loss) && (loss as PerSampleLoss).binary !== undefined;
    const kind = isBinary ? 'label' : undefined;
    if (asked === 'acc' || asked === 'accuracy') return {name, output, kind, metric: accuracyOf(loss)};
    if (asked === 'ce' || asked === 'crossentropy') return {name, output, kind, metric: crossentropyOf(loss)};
    return {name, output, kind: kindOf(asked), metric};
  });
}

/** Lists the metrics as `compile` got them, names or functions, in the order of tfjs. */
function givenMetrics(model: LayersModel): unknown[] {
  const {metrics = []} = model as unknown as {metrics?: unknown};
  const isRecord = metrics !== null && typeof metrics === 'object' && !Array.isArray(metrics);
  return model.outputNames.flatMap((name) =>
    [isRecord ? ((metrics as Record<string, unknown>)[name] ?? []) : metrics].flat(),
  );
}

function kindOf(given: unknown): MetricKind {
  if (typeof given === 'string') return KINDS[given];
  const known = layersMetrics as unknown as Record<string, unknown>;
  return KINDS[Object.keys(KINDS).find((name) => known[name] === given) ?? ''];
}

type ModelLoss = StepSettings['losses'][number];

/** Builds the accuracy, `[rows, …]`, for the kind of labels. */
function accuracyOf(loss: ModelLoss): Metric {
  const {binary} = isJoint(loss) ? {} : (loss as PerSampleLoss);
  return (yTrue, yPred) => {
    if (binary) {
      // Labels are 0 and 1, or −1 and 1; any other value is ignored.
      const isLabel = cast(lessEqual(abs(yTrue), 1), 'float32');
      const isYes = greater(yPred, binary.fromLogits ? 0 : 0.5);
      const isRight = mul(cast(equal(greater(yTrue, 0.5), isYes), 'float32'), isLabel);
      return div(sum(isRight, -1), maximum(sum(isLabel, -1), 1));
    }
    if (yPred.shape.at(-1) === 1) return layersMetrics.binaryAccuracy(yTrue, yPred);
    if (yTrue.size === yPred.size) return layersMetrics.categoricalAccuracy(yTrue, yPred);
    return layersMetrics.sparseCategoricalAccuracy(yTrue, yPred);
  };
}

/** Builds the crossentropy per row for the kind of labels. */
function crossentropyOf(loss: ModelLoss): Metric {
  const {binary} = isJoint(loss) ? {} : (loss as PerSampleLoss);
  return (yTrue, yPred) => {
    const classes = yPred.shape.at(-1) as number;
    if (binary || classes === 1) return binaryCrossentropy(binary)(yTrue, yPred);
    if (yTrue.size === yPred.size) return categoricalCrossentropy()(yTrue, yPred);
    // An ignored label gets an all-zero one-hot row.
    const labels = reshape(cast(yTrue, 'int32'), yPred.shape.slice(0, -1));
    return categoricalCrossentropy()(oneHot(labels, classes), yPred);
  };
}
