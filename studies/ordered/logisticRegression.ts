import {
  add,
  argMax,
  cast,
  div,
  equal,
  gather,
  keep,
  matMul,
  mean,
  mul,
  randomUniform,
  type Scalar,
  softmax,
  sub,
  sum,
  type Tensor1D,
  type Tensor2D,
  tidy,
  train,
  type Variable,
  variable,
} from '@tensorflow/tfjs-core';
import {categoricalCrossentropy} from 'ohem-tfjs';
import {CLASSES, IMAGE_SIZE} from '../../examples/mnist/data/digits';
import type {SgdOptions, Trainee} from './trainee';

/** Its parameters can be looked at. */
export interface LogisticRegression extends Trainee {
  weights: Variable;
  bias: Variable;
}

const crossentropy = categoricalCrossentropy({fromLogits: true});

/**
 * A softmax regression that is trained by SGD with momentum and weight decay, as PyTorch has them.
 *
 *     g = 1/K Σ (softmax(x W + b) − y) over the K kept rows + λ w,    v ← μ v + g,    w ← w − η v
 *
 * The gradient is written down, since with so small a model a general step is mostly overhead:
 * `ohemStep` with momentum and an L2 regulariser of λ/2 takes the same steps, several times slower
 * (a test holds the two together). Loss and selector are the library's.
 *
 * First weights are PyTorch's for a linear layer: uniform within ±1/√inputs.
 */
export function logisticRegression(
  {seed, learningRate, momentum, weightDecay, select}: SgdOptions,
  [inputs, classes]: [number, number] = [IMAGE_SIZE, CLASSES],
): LogisticRegression {
  const reach = 1 / Math.sqrt(inputs);
  const parameter = (shape: number[], draw: number) =>
    tidy(() => variable(randomUniform(shape, -reach, reach, 'float32', draw), true));
  const weights = parameter([inputs, classes], 2 * seed + 1);
  const bias = parameter([classes], 2 * seed + 2);
  const optimizer = train.momentum(learningRate, momentum);
  const decay = keep(tidy(() => cast(weightDecay, 'float32') as Scalar));
  const logitsOf = (xs: Tensor2D) => add(matMul(xs, weights as unknown as Tensor2D), bias) as Tensor2D;
  return {
    weights,
    bias,
    step({xs, ys}, rows, state) {
      tidy(() => {
        const [images, labels] = [gather(xs, rows), gather(ys, rows)];
        const logits = logitsOf(images);
        const kept = select(crossentropy(labels, logits) as Tensor1D, {schedule: state}).indices;
        const errors = div(gather(sub(softmax(logits), labels), kept), kept.size) as Tensor2D;
        optimizer.applyGradients({
          [weights.name]: add(matMul(gather(images, kept), errors, true), mul(weights, decay)),
          [bias.name]: add(sum(errors, 0), mul(bias, decay)),
        });
      });
    },
    async accuracy({xs, ys}) {
      const share = tidy(() => mean(cast(equal(argMax(logitsOf(xs), 1), argMax(ys, 1)), 'float32')));
      const [value] = await share.data();
      share.dispose();
      return value as number;
    },
    setLearningRate: (rate) => optimizer.setLearningRate(rate),
    dispose() {
      optimizer.dispose();
      weights.dispose();
      bias.dispose();
      decay.dispose();
    },
  };
}
