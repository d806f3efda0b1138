/**
 * @file Layers whose rows interact, some of which do so only now and then, or behind weights of 0.
 */

import {
  add,
  avgPool,
  batchToSpaceND,
  concat,
  conv1d,
  cumsum,
  customGrad,
  div,
  fused,
  type GradSaveFunc,
  gather,
  grad,
  matMul,
  max,
  maximum,
  mean,
  mirrorPad,
  mul,
  ones,
  pad,
  range,
  relu,
  reshape,
  reverse,
  scalar,
  serialization,
  slice,
  softmax,
  spaceToBatchND,
  split,
  sqrt,
  square,
  squaredDifference,
  stack,
  step,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tanh,
  tensor1d,
  tidy,
  tile,
  transpose,
  unsortedSegmentSum,
  unstack,
} from '@tensorflow/tfjs-core';
import {initializers, layers} from '@tensorflow/tfjs-layers';

/** What a layer goes by, beside its input. */
interface Call {
  training: boolean;
  /** How many training-mode calls there were before. */
  call: number;
  /** The layer's weight, `[D, D]`. */
  weight: Tensor2D;
  /** A number to train, 0 at first. */
  gate: Tensor;
}

type Compute = (x: Tensor2D, call: Call) => Tensor;

/** A layer of one's own that computes `f`, with a matrix and a gate to train. */
export class MixingLayer extends layers.Layer {
  static className = 'MixingLayer';
  calls = 0;
  private own: {matrix: {read(): Tensor}; gate: {read(): Tensor}} | undefined;

  constructor(
    private readonly f: Compute,
    private readonly startsAt: 'zeros' | 'ones' = 'zeros',
  ) {
    super({});
  }

  override build([, features]: number[]): void {
    const width = features as number;
    this.own = {
      matrix: this.addWeight('matrix', [width, width], 'float32', initializers.glorotNormal({seed: 3})),
      gate: this.addWeight('gate', [1], 'float32', initializers[this.startsAt]()),
    };
    this.built = true;
  }

  override call(inputs: Tensor | Tensor[], {training = false}: {training?: boolean}): Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor2D;
    const {matrix, gate} = this.own as NonNullable<typeof this.own>;
    const call = training ? this.calls++ : this.calls;
    return tidy(() => this.f(x, {training, call, weight: matrix.read() as Tensor2D, gate: gate.read()}));
  }
}
serialization.registerClass(MixingLayer);

const batchMean = (x: Tensor) => mean(x, 0, true);
const half = (x: Tensor, other: Tensor) => add(mul(x, 0.7), mul(other, 0.3));
const rowsOf = (x: Tensor) => x.shape[0] as number;
const attention = (x: Tensor2D, query: Tensor2D = x) => matMul(softmax(matMul(query, x, false, true)), x);

/** A custom gradient that is right for its own forward pass, but reads all rows. */
const reversing = customGrad((x, save) => {
  (save as GradSaveFunc)([x as Tensor]);
  return {value: reverse(x as Tensor, 0), gradFunc: (dy: Tensor) => reverse(dy, 0)};
});
/** A custom gradient that depends on all rows of what comes back. */
const normalisingBack = customGrad((x) => ({
  value: mul(x as Tensor, 1),
  gradFunc: (dy: Tensor) => div(dy, add(sqrt(sum(square(dy))), 1e-3)),
}));

/** Each layer that mixes rows, or may look as if it did; what it mixes, it mixes differentiably. */
export const MIXING: Readonly<Record<string, Compute>> = {
  'mixes with its reverse in training only': (x, {training}) => (training ? half(x, reverse(x, 0)) : x),
  'a mixing branch behind a gate of 0': (x, {gate}) => add(x, mul(gate, tanh(reverse(x, 0)))),
  'attention over the batch behind a gate of 0': (x, {gate}) => add(x, mul(gate, attention(x))),
  'attention over the batch': (x) => attention(x),
  'attention over the batch with learned queries': (x, {weight}) => attention(x, matMul(x, weight)),
  'mixup whose share is 1 at first': (x, {call}) => {
    const share = call === 0 ? 1 : 0.6;
    return add(mul(x, share), mul(reverse(x, 0), 1 - share));
  },
  'less the mean of the batch': (x) => sub(x, batchMean(x)),
  'over the deviation of the batch': (x) => div(x, sqrt(add(batchMean(square(sub(x, batchMean(x)))), 1e-2))),
  'less the maximum of the batch': (x) => sub(x, max(x, 0, true)),
  'over the norm of the batch': (x) => div(x, add(sqrt(sum(square(x))), 1e-3)),
  'a softmax over the batch': (x) => transpose(softmax(transpose(x))),
  'rows gathered in another order': (x) => {
    const last = rowsOf(x) - 1;
    return half(
      x,
      gather(
        x,
        tensor1d(
          Array.from({length: last + 1}, (_, row) => last - row),
          'int32',
        ),
      ),
    );
  },
  'the batch rolled by one': (x) => half(x, concat([slice(x, 1), slice(x, 0, 1)], 0)),
  'halves of the batch exchanged': (x) => {
    const [one, other] = split(x, 2, 0) as [Tensor, Tensor];
    return half(x, concat([other, one], 0));
  },
  'a pooling along the batch': (x) => {
    const [rows, features] = x.shape;
    return half(x, reshape(avgPool(reshape(x, [1, rows, 1, features]) as Tensor4D, [3, 1], 1, 'same'), x.shape));
  },
  'a convolution along the batch': (x, {weight}) => {
    const filter = reshape(weight, [1, ...weight.shape]) as Tensor3D;
    return half(x, reshape(conv1d(reshape(x, [1, ...x.shape]) as Tensor3D, filter, 1, 'same'), x.shape));
  },
  'running sums along the batch': (x) => half(x, mul(transpose(cumsum(transpose(x), 1)), 0.1)),
  'the Gram matrix of the batch': (x) => add(x, mul(matMul(x, matMul(x, x, true)), 0.05)),
  'the sum of the batch, tiled': (x) => add(x, mul(tile(sum(x, 0, true), [rowsOf(x), 1]), 0.1)),
  'means of four rows at a time': (x) => {
    const groups = reshape(x, [-1, 4, x.shape[1]]);
    return reshape(sub(groups, mean(groups, 1, true)), x.shape);
  },
  'means of every fourth row': (x) => {
    const groups = reshape(x, [4, -1, x.shape[1]]);
    return reshape(sub(groups, mul(mean(groups, 1, true), 0.5)), x.shape);
  },
  'rows regrouped by a transpose': (x) => {
    const groups = transpose(reshape(x, [4, -1, x.shape[1]]), [1, 0, 2]);
    return half(x, reshape(groups, x.shape));
  },
  'each row less the one before': (x) =>
    sub(
      x,
      mul(
        pad(slice(x, 0, [rowsOf(x) - 1, -1]), [
          [1, 0],
          [0, 0],
        ]),
        0.5,
      ),
    ),
  'a mirror along the batch': (x) =>
    half(
      x,
      slice(
        mirrorPad(
          x,
          [
            [2, 2],
            [0, 0],
          ],
          'reflect',
        ),
        1,
        [rowsOf(x), -1],
      ),
    ),
  'two copies of the batch, averaged across': (x) => {
    const twice = concat([x, reverse(x, 0)], 0);
    return half(slice(twice, 0, [rowsOf(x), -1]), slice(twice, rowsOf(x), [rowsOf(x), -1]));
  },
  'two views of the batch that do not mix': (x) => {
    const twice = tanh(concat([x, mul(x, 2)], 0));
    return add(slice(twice, 0, [rowsOf(x), -1]), slice(twice, rowsOf(x), [rowsOf(x), -1]));
  },
  'a tile of the batch': (x) => {
    const thrice = tile(x, [3, 1]);
    return half(x, reverse(slice(thrice, rowsOf(x), [rowsOf(x), -1]), 0));
  },
  'rows taken apart and put together in reverse': (x) => half(x, stack(unstack(x).reverse())),
  'a choice by what other rows hold': (x) => mul(x, add(0.5, step(sub(x, reverse(x, 0))))),
  'the larger of two rows': (x) => maximum(x, reverse(x, 0)),
  'the distance from the mean of the batch': (x) => squaredDifference(x, tile(batchMean(x), [rowsOf(x), 1])),
  'a custom gradient that reverses': (x) => half(x, reversing(x)),
  'a custom gradient that divides by a norm of all rows': (x) => normalisingBack(x),
  'the position in the batch': (x) => mul(x, reshape(div(range(1, rowsOf(x) + 1), rowsOf(x)), [-1, 1])),
  'the size of the batch': (x) => mul(x, 1 / rowsOf(x)),
  'other ops from step to step': (x, {call}) => (call % 2 === 0 ? mul(x, 1) : add(mul(x, 1), 0)),
  'mixing at every second step': (x, {call}) => (call % 2 === 1 ? half(x, reverse(x, 0)) : mul(x, 1)),
  'mixing from the third step on': (x, {call}) => (call > 1 ? half(x, reverse(x, 0)) : x),
  'mixing in batches of more than eight rows': (x) => (rowsOf(x) > 8 ? half(x, reverse(x, 0)) : x),
  'a product with a transposed square weight': (x, {weight}) =>
    fused.matMul({a: x, b: weight, transposeB: true, activation: 'linear'}),
  'a product with the weight on the left': (x, {weight}) => transpose(matMul(weight, x, false, true)),
  'a product of transposed factors': (x, {weight}) => transpose(matMul(weight, transpose(x))),
  'segments of rows that alternate': (x) => {
    const segments = tensor1d(
      Array.from({length: rowsOf(x)}, (_, row) => row % 3),
      'int32',
    );
    return add(x, mul(gather(unsortedSegmentSum(x, segments, 3), segments), 0.1));
  },
  'blocks of space made rows and back': (x) => {
    const image = reshape(x, [rowsOf(x), 1, x.shape[1], 1]);
    return reshape(
      batchToSpaceND(
        tanh(
          spaceToBatchND(
            image,
            [1, 2],
            [
              [0, 0],
              [0, 0],
            ],
          ),
        ),
        [1, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
      x.shape,
    );
  },
  'one of two branches mixes': (x, {weight}) => add(tanh(matMul(x, weight)), relu(sub(x, batchMean(x)))),
  'a gradient that is taken inside': (x) => half(x, grad((y) => sum(mul(square(y), y)))(x)),
  'a gradient inside that mixes': (x) => half(x, grad((y) => sum(mul(square(y), reverse(y, 0))))(x)),
  'a value that is read': (x) => mul(x, 1 + Math.abs(Math.tanh(x.dataSync()[0] as number))),
  'a constant of all rows': (x) => add(x, mul(ones(x.shape), 0.1)),
  'three axes, transposed': (x) => {
    const steps = transpose(reshape(x, [rowsOf(x), 2, -1]), [1, 0, 2]);
    return reshape(transpose(tanh(steps), [1, 0, 2]), x.shape);
  },
  'a number for all rows': (x, {gate}) => mul(x, add(scalar(1), gate)),
};
