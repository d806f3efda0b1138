import {dispose, scalar, type Tensor, type TensorContainer, type Variable} from '@tensorflow/tfjs-core';
import {recordAndDifferentiate, recordedNodes, type TapeNode, tensorsIn, unkept, untaped} from './tape';

/** A tape that is on. */
export interface Tape {
  /** The ops recorded so far, in order. */
  nodes(): readonly TapeNode[];
  /** Runs `f` without recording it. What it returns lives as long as the tape does, or on if `onTape` returns it. */
  untaped<T extends TensorContainer>(f: () => T): T;
}

/**
 * Runs `f` on a tape of its own, from whose nodes it computes what it likes.
 *
 * tfjs only winds the tape up, being told to differentiate a constant.
 *
 * @returns what `f` returns, which must come out of `untaped`; it belongs to the `tidy` around.
 * @throws Error if the tape of tfjs cannot be read, and whatever `f` throws; the tape is clean afterwards.
 */
export function onTape<T extends TensorContainer>(variables: Variable[], f: (tape: Tape) => T): T {
  const made: Tensor[] = [];
  const tape: Tape = {
    nodes() {
      const nodes = recordedNodes();
      if (!nodes) throw new Error('this version of tfjs does not show its tape');
      return nodes;
    },
    untaped(run) {
      const result = untaped(run);
      made.push(...tensorsIn(result));
      return result;
    },
  };
  let result: T | undefined;
  try {
    const wound = () => {
      result = f(tape);
      return scalar(0);
    };
    recordAndDifferentiate(wound, variables).value.dispose();
    return unkept(result as T) as T;
  } finally {
    dispose(made);
  }
}
