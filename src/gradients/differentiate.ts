import {dispose, type NamedTensorMap, type Scalar, scalar, type Variable} from '@tensorflow/tfjs-core';
import {recordAndDifferentiate, recordedNodes, unkept, untaped} from './tape';
import {walkBack} from './walk';

type Differentiated = {value: Scalar; gradients: NamedTensorMap};

/**
 * Differentiates `f` with respect to variables, like `tf.variableGrads`, but without the gradients that lead to none of them.
 *
 * Where tfjs does not show its tape it is left to walk it, and computes them too.
 */
export function differentiate(f: () => Scalar, variables: Variable[]): Differentiated {
  let walked: Differentiated | undefined;
  const ofTfjs = recordAndDifferentiate(() => {
    const value = f();
    const nodes = recordedNodes();
    if (!nodes) return value;
    walked = untaped(() => ({value, gradients: walkBack(nodes, value, variables)}));
    // A constant: nothing is left for tfjs to do but to wind the tape up.
    return scalar(0);
  }, variables);
  if (!walked) return ofTfjs;
  try {
    return unkept(walked) as Differentiated;
  } finally {
    dispose(walked);
  }
}
