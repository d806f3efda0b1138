/** @file All that touches the gradient tape of tfjs, documented or not. */

import {
  customGrad,
  dispose,
  engine,
  keep,
  type NamedTensorMap,
  type Scalar,
  scalar,
  type Tensor,
  type TensorContainer,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';

export type VariableGradients = {value: Scalar; gradients: NamedTensorMap};

/**
 * Differentiates `f` with respect to variables, like `tf.variableGrads`, and leaves the tape clean when something throws.
 *
 * After an error inside `tf.variableGrads` the tape stays on, with every activation that it saved, until the next gradient is taken.
 * So an error of `f` is held back until tfjs has wound up a tape without gradients; one of the backward pass itself
 * (a kernel that the backend lacks) needs the tape emptied by hand.
 */
export function variableGradients(f: () => Scalar, variables: Variable[]): VariableGradients {
  let failure: {error: unknown} | undefined;
  const guarded = () => {
    try {
      return f();
    } catch (error) {
      failure = {error};
      return scalar(0);
    }
  };
  try {
    const {value, grads} = variableGrads(guarded, variables);
    return {value, gradients: grads};
  } catch (error) {
    emptyTape();
    throw failure ? failure.error : error;
  }
}

/** Disposes what an abandoned tape has saved. Does nothing inside another gradient, whose tape it would be. */
function emptyTape(): void {
  const {state} = engine();
  if (state.gradientDepth > 0 || !state.activeTape) return;
  for (const node of state.activeTape) dispose((node.saved ?? []).filter((tensor) => !tensor.isDisposed));
  state.activeTape = [];
}

/**
 * Runs `f` without recording it, and keeps what it returns: the caller disposes that, as no `tidy` will.
 *
 * tfjs has no `stopGradient`, but it records nothing inside the forward function of a custom gradient.
 */
export function untaped<T extends TensorContainer>(f: () => T): T {
  let result: T | undefined;
  const forward = () => {
    result = f();
    keepAll(result);
    return {value: scalar(0), gradFunc: (): Tensor[] => []};
  };
  customGrad(forward)().dispose();
  return result as T;
}

function keepAll(container: TensorContainer): void {
  if (container === null || typeof container !== 'object') return;
  if ('dataId' in container) keep(container as Tensor);
  else for (const item of Object.values(container)) keepAll(item);
}
