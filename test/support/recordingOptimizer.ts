import {clone, keep, type NamedTensorMap, type Optimizer, type Tensor, train} from '@tensorflow/tfjs-core';

export interface RecordingOptimizer {
  optimizer: Optimizer;
  /** The gradients it was given last, in the order of the variables. */
  gradients: Tensor[];
}

/** An optimizer that changes nothing and remembers what it was given. */
export function recordingOptimizer(): RecordingOptimizer {
  const recording: RecordingOptimizer = {optimizer: train.sgd(1), gradients: []};
  recording.optimizer.applyGradients = (gradients) => {
    recording.gradients = Object.values(gradients as NamedTensorMap).map((gradient) => keep(clone(gradient)));
  };
  return recording;
}
