/** @file All that touches the engine and the gradient tape of tfjs. */

import {
  customGrad,
  dispose,
  engine,
  keep,
  type NamedTensorMap,
  reshape,
  type Scalar,
  scalar,
  Tensor,
  type TensorContainer,
  type Variable,
} from '@tensorflow/tfjs-core';

/** An op that was recorded: what went in and came out, and what it saved for its gradient. */
export interface TapeNode {
  kernelName: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  saved?: Tensor[];
  /** Gives for each input a function that computes its gradient, from the list `saved` as it is then. */
  gradient?: (dys: Tensor[]) => Record<string, () => Tensor>;
}

/** The ops recorded so far by the tape that is on, in order; undefined if this version of tfjs keeps them elsewhere. */
export function recordedNodes(): readonly TapeNode[] | undefined {
  const tape: unknown = (engine() as {state?: {activeTape?: unknown}}).state?.activeTape;
  return Array.isArray(tape) ? tape : undefined;
}

/**
 * Differentiates `f` with respect to variables as `tf.variableGrads` does, and leaves the tape clean when something throws.
 *
 * After an error inside, tfjs leaves the tape as it is, with every activation that it saved, until the next gradient is taken.
 * So an error of `f` is held back until tfjs has wound up a tape that leads nowhere; one of the backward pass (a kernel that the backend
 * lacks) needs the tape emptied by hand. Unlike `tf.variableGrads` it takes a function that depends on no variable.
 */
export function recordAndDifferentiate(
  f: () => Scalar,
  variables: Variable[],
): {value: Scalar; gradients: NamedTensorMap} {
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
    const {value, grads} = engine().gradients(guarded, variables, undefined, true);
    if (failure) throw failure.error;
    const named = variables.map(({name}, i) => [name, grads[i]] as const);
    return {value, gradients: Object.fromEntries(named.filter((entry): entry is [string, Tensor] => entry[1] != null))};
  } catch (error) {
    emptyTape();
    throw error;
  }
}

/** Disposes what an abandoned tape has saved. Does nothing inside another gradient, whose tape it would be. */
function emptyTape(): void {
  if (engine().state.gradientDepth > 0) return;
  for (const {saved = []} of recordedNodes() ?? []) dispose(saved.filter((tensor) => !tensor.isDisposed));
  engine().state.activeTape = [];
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
    for (const tensor of tensorsIn(result)) keep(tensor);
    return {value: scalar(0), gradFunc: (): Tensor[] => []};
  };
  customGrad(forward)().dispose();
  return result as T;
}

/** The tensors in a tensor, list or record. */
export function tensorsIn(container: TensorContainer): Tensor[] {
  if (container === null || typeof container !== 'object') return [];
  if (container instanceof Tensor) return [container];
  return Object.values(container).flatMap((item) => tensorsIn(item as TensorContainer));
}

/** The same tensors as `untaped` kept, but for a `tidy` to dispose: a reshape shares their data. */
export function unkept(container: TensorContainer): TensorContainer {
  if (container === null || typeof container !== 'object') return container;
  if (container instanceof Tensor) return reshape(container, container.shape);
  if (Array.isArray(container)) return container.map(unkept);
  return Object.fromEntries(Object.entries(container).map(([name, item]) => [name, unkept(item as TensorContainer)]));
}
