import {
  type NamedTensorMap,
  type Optimizer,
  reshape,
  type Scalar,
  type Tensor,
  type Variable,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {chooser} from '../gradients/choose';
import {slotsOf} from './optimizerSlots';

/** The values of a model's weights and of an optimizer's slots as they were, to go back to. */
export interface Snapshot {
  /** Goes back, if what happened since is not to count: `bool[]`, which only the device knows. */
  keepWhere(sound: Scalar): void;
  /** Goes back, on the host: something threw. */
  restore(): void;
}

/**
 * Holds on to the values of all variables that a step may change: weights, statistics of batch normalisation, slots.
 *
 * Nothing is copied: a reshape shares its data, and assigning to a variable swaps the data it points to. Lives as long as
 * the `tidy` around it.
 */
export function takeSnapshot(model: LayersModel, optimizer: Optimizer): Snapshot {
  const slots = slotsOf(optimizer).map(({variable}) => variable);
  const variables = [...model.weights.map((weight) => weight.read() as Variable), ...slots];
  const before = variables.map((variable) => ({
    variable,
    value: reshape(variable, variable.shape),
    data: variable.dataId,
  }));
  const assignChanged = (valueFor: (variable: Variable, value: Tensor) => Tensor) => {
    for (const {variable, value, data} of before) {
      if (variable.dataId !== data) variable.assign(valueFor(variable, value));
    }
  };
  return {
    keepWhere: (sound) => assignChanged(chooser(sound)),
    restore: () => assignChanged((_, value) => value),
  };
}

/** Gradients that are all 0 where they are not sound, so that slots which an optimizer makes of them start clean. */
export function soundGradients(gradients: NamedTensorMap, sound: Scalar): NamedTensorMap {
  const choose = chooser(sound);
  return Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => [name, choose(gradient, zerosLike(gradient))]),
  );
}
