import {clone, keep, type Optimizer, type Tensor, train} from '@tensorflow/tfjs-core';

export interface RecordingOptimizer {
  optimizer: Optimizer;
  /** The gradients it was given last, in the order of the variables. */
  gradients: Tensor[];
}

/** An optimizer that changes nothing and remembers what it was given. */
export function recordingOptimizer(): RecordingOptimizer {
  const recording: RecordingOptimizer = {optimizer: train.sgd(1), gradients: []};
  recording.optimizer.applyGradients = (gradients) => {
    const given = gradients as {name: string; tensor: Tensor | null}[];
    recording.gradients = given.flatMap(({tensor}) => (tensor ? [keep(clone(tensor))] : []));
  };
  return recording;
}
