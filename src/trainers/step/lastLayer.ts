/**
 * @file The input of a model's last dense layer, for selectors that need it, also for validation
 * rows.
 */

import {clone, keep, type Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel, SymbolicTensor} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import {isOfLabels} from '../../data/views';
import {offTape} from '../../engine';
import {aroundCalls, partsOf} from '../../models/model';
import {layerActivation} from '../../models/outputActivation';
import type {ValidationPass} from '../../types';
import {inferred} from './backward';
import {stepBatch} from './batch';
import type {StepSettings} from './options';

type Layer = LayersModel['layers'][number];

/** Captures the input of the last dense layer. */
export interface LastLayer {
  /** Runs a forward pass that calls the layer, and returns its input after the outputs. */
  behind(run: () => Tensor[]): Tensor[];
}

const NEEDED = 'have one output and end in a dense layer for this selector';

/** Finds the last dense layer of a model. */
export function lastLayer(
  where: string,
  model: LayersModel,
  {granularity, outputs}: Pick<StepSettings, 'granularity' | 'outputs'>,
): LastLayer {
  const layer = lastDense(where, model);
  if (granularity === 'element' && outputs.some(isOfLabels)) {
    const remedy = 'Each label of a row has weights of its own: mine rows.';
    throw typeError(where, 'granularity', "be 'sample' for a selector that needs features", granularity, remedy);
  }
  return {
    behind(run) {
      const inputs: Tensor[] = [];
      const note = (_: Layer, call: () => Tensor | Tensor[], given: Tensor | Tensor[]) => {
        // Clone it: the model disposes tensors between its layers, and the input may be the
        // caller's.
        inputs.push(offTape(() => keep(clone([given].flat()[0] as Tensor))));
        return call();
      };
      try {
        const results = aroundCalls([layer], note, run);
        if (inputs.length !== 1) {
          throw typeError(where, 'model', `call ${layer.name} once in a pass`, `${inputs.length} calls`);
        }
        return [...results, offTape(() => clone(inputs[0] as Tensor))];
      } finally {
        for (const input of inputs) input.dispose();
      }
    },
  };
}

/** Finds the dense layer that computes the output of a model, before any activation layer. */
function lastDense(where: string, model: LayersModel): Layer {
  let output = model.outputs[0] as SymbolicTensor | undefined;
  if (model.layers.length === 0) throw typeError(where, 'model', NEEDED, 'a function');
  if (model.outputs.length !== 1) throw typeError(where, 'model', NEEDED, `${model.outputs.length} outputs`);
  const applied: string[] = [];
  while (output) {
    const layer = output.sourceLayer as Layer & {outputs?: SymbolicTensor[]};
    const {className = ''} = layer.constructor as {className?: string};
    const activation = layerActivation(layer) ?? 'linear';
    if (activation !== 'linear') applied.unshift(activation);
    if (className === 'Dense') {
      checkActivations(where, applied);
      return layer;
    }
    if ('layers' in layer) output = layer.outputs?.[output.outputTensorIndex ?? 0];
    else if (className === 'Activation' || className === 'Softmax') output = output.inputs[0];
    else throw typeError(where, 'model', NEEDED, `the layer ${layer.name} (${className})`);
  }
  throw typeError(where, 'model', NEEDED, 'one without layers');
}

/** Checks that `p − y` can be the gradient of a loss by the outputs of a dense layer. */
function checkActivations(where: string, applied: string[]): void {
  const [only = 'linear', ...more] = applied;
  if (more.length === 0 && ['linear', 'softmax', 'sigmoid'].includes(only)) return;
  const constraint = 'have no activation but one softmax or sigmoid from its last dense layer on, for this selector';
  throw typeError(where, 'model', constraint, applied.join(', '), 'Its gradient would not be that of p − y.');
}

/**
 * Builds the forward pass over the selector's validation rows, in inference mode; undefined if it
 * has none.
 */
export function validationPasses(settings: StepSettings): (() => ValidationPass) | undefined {
  const {where, model, select} = settings;
  const {validation} = select;
  if (!validation) return undefined;
  const stateful = partsOf(model).find((part) => part.stateful);
  if (stateful) {
    const constraint = 'have no layer that keeps a state for a selector with validation rows';
    throw typeError(where, 'model', constraint, stateful.name);
  }
  const ofValidation = {...settings, where: `${where}: validation`};
  return () =>
    ofRows(ofValidation.where, () => {
      const batch = stepBatch(ofValidation, validation.xs, validation.ys);
      const {predictions, features} = inferred(ofValidation, batch);
      return {yTrue: batch.ys[0] as Tensor, yPred: predictions[0] as Tensor, features: features as Tensor};
    });
}

/** Runs `f`, and adds to the error of a loss or a layer which rows it concerns. */
function ofRows<T>(where: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (error instanceof Error && !error.message.startsWith(where)) error.message = `${where}: ${error.message}`;
    throw error;
  }
}
