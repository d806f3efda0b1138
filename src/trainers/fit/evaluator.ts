import {mean, mul, type Scalar, type Tensor, type Tensor1D} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {outputLosses} from '../../models/modelLosses';
import type {StepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';

/** Computes the figures that tfjs logs beside the loss, under its names. */
export interface Evaluator {
  names: readonly string[];
  /** A scalar for each name: the mean over all rows of the batch. */
  evaluate(batch: StepBatch, predictions: Tensor[]): Scalar[];
}

/** Evaluates the loss of each output where there are several, and the metrics that the model was compiled with. */
export function evaluator({where, model, losses}: StepSettings): Evaluator {
  const outputs = model.outputNames;
  const withOutputs = outputs.length > 1;
  const unweighted = outputs.map(() => 1);
  // Of several outputs tfjs puts the losses first.
  const compiled = (model.metricsTensors ?? []).slice(withOutputs ? outputs.length : 0);
  return {
    names: withSuffixes([...(withOutputs ? outputs.map((name) => `${name}_loss`) : []), ...metricNames(model)]),
    evaluate({given: {ys, rowWeights}, view}, predictions) {
      const ofRows = withOutputs ? outputLosses(where, losses, unweighted, ys, predictions, view.losses) : [];
      const ofOutputs = ofRows.map((values, output) => mean<Scalar>(mul<Tensor1D>(values, rowWeights[output] ?? 1)));
      const ofMetrics = compiled.map(([metric, output]) =>
        mean<Scalar>(metric(ys[output] as Tensor, predictions[output] as Tensor)),
      );
      return [...ofOutputs, ...ofMetrics];
    },
  };
}

function metricNames(model: LayersModel): string[] {
  const lossNames = model.outputNames.length > 1 ? model.outputNames.length + 1 : 1;
  return (model.metricsNames ?? []).slice(lossNames);
}

/** Gives names that occur twice (`acc`, `acc`) a number each (`acc_0`, `acc_1`), as tfjs does. */
function withSuffixes(names: string[]): string[] {
  return names.map((name, i) => {
    const isTwice = names.indexOf(name) !== names.lastIndexOf(name);
    return isTwice ? `${name}_${names.slice(0, i).filter((earlier) => earlier === name).length}` : name;
  });
}
