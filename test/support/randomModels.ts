import {
  add,
  avgPool,
  concat,
  conv1d,
  cumsum,
  div,
  exp,
  expandDims,
  gather,
  greaterEqual,
  keep,
  leakyRelu,
  matMul,
  max,
  maximum,
  mean,
  mul,
  pad,
  prelu,
  type Rank,
  relu,
  reshape,
  reverse,
  sigmoid,
  slice,
  softmax,
  split,
  sqrt,
  square,
  squeeze,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tanh,
  tensor,
  tile,
  transpose,
  unstack,
  type Variable,
  variable,
  where,
} from '@tensorflow/tfjs-core';
import {layers} from '@tensorflow/tfjs-layers';
import type {Draw} from './opCases';
import {randomFrom} from './property';

/**
 * Steps and features of a sequence, at least 2: tfjs does not differentiate `unstack` into one
 * tensor.
 */
type Size = readonly [steps: number, features: number];

interface Block {
  name: string;
  size: Size;
  variables: Variable[];
  apply(x: Tensor3D): Tensor;
  /** Whether gradients of some rows depend on other rows, or become those of all rows. */
  mixes?: boolean;
}

interface Builder {
  draw: Draw;
  batch: number;
  weight(...shape: number[]): Variable;
}

type Make = (size: Size, builder: Builder) => Omit<Block, 'name' | 'variables'>;

/** A layer of tfjs-layers, in training mode. */
interface AnyLayer {
  build(shape: (number | null)[]): void;
  built: boolean;
  apply(x: Tensor, options: object): unknown;
  trainableWeights: {read(): Tensor}[];
}
const fromLayer =
  (make: (features: number, builder: Builder) => AnyLayer, features?: (of: number) => number): Make =>
  ([steps, of], builder) => {
    const layer = make(of, builder);
    // The batch size counts for none of them.
    const size = [steps, features?.(of) ?? of] as const;
    return {size, apply: (x: Tensor) => layer.apply(x, {training: true}) as Tensor, layer} as never;
  };
const recurrent = {recurrentInitializer: 'glorotNormal', returnSequences: true} as const;

const rows = (x: Tensor, steps: number, features: number) => reshape(x, [-1, steps, features]);

/** Pieces of models, from `[B, steps, features]` to such a tensor. */
const BLOCKS: Record<string, Make> = {
  dense: ([steps, of], {weight, draw}) => {
    const units = draw.int(2, 4);
    const [w, b] = [weight(of, units), weight(units)];
    return {size: [steps, units], apply: (x) => rows(tanh(add(matMul(reshape(x, [-1, of]), w), b)), steps, units)};
  },
  'wide dense': ([steps, of], {weight, batch}) => {
    const w = weight(steps * of, batch * 2);
    return {size: [2, batch], apply: (x) => rows(relu(matMul(reshape(x, [-1, steps * of]), w)), 2, batch)};
  },
  'tied weights': ([steps, of], {weight}) => {
    const w = weight(of, of);
    const twice = (x: Tensor) => matMul(matMul(x, w), w, false, true);
    return {size: [steps, of], apply: (x) => rows(twice(reshape(x, [-1, of])), steps, of)};
  },
  'steps first': ([steps, of], {weight}) => {
    const w = weight(of, of);
    return {
      size: [steps, of],
      apply: (x) =>
        transpose(
          stack(unstack(transpose(x, [1, 0, 2])).map((step, i) => (i % 2 ? sigmoid(matMul(step as never, w)) : step))),
          [1, 0, 2],
        ),
    };
  },
  backwards: (size) => ({size, apply: (x) => reverse(x, 1)}),
  'features first': ([steps, of]) => ({size: [of, steps], apply: (x) => transpose(x, [0, 2, 1])}),
  attention: ([steps, of], {weight}) => {
    const [q, k] = [weight(1, of, of), weight(1, of, of)];
    const by = (x: Tensor, w: Tensor) => rows(matMul(reshape(x, [-1, of]), squeeze(w, [0])), steps, of);
    return {
      size: [steps, of],
      apply: (x) => matMul(softmax(matMul(by(x, q) as Tensor3D, by(x, k) as Tensor3D, false, true)), x),
    };
  },
  'layer norm by hand': ([steps, of], {weight}) => {
    const [gamma, beta] = [weight(of), weight(of)];
    return {
      size: [steps, of],
      apply: (x) => {
        const centred = sub(x, mean(x, -1, true));
        const scaled = div(centred, sqrt(add(mean(square(centred), -1, true), 0.1)));
        return add(mul(scaled, gamma), beta);
      },
    };
  },
  'learned positions': ([steps, of], {weight}) => {
    const w = weight(steps, of);
    return {size: [steps, of], apply: (x) => add(x, w)};
  },
  'a token before': ([steps, of], {weight}) => {
    const w = weight(1, 1, of);
    return {size: [steps + 1, of], apply: (x) => concat([tile(w, [x.shape[0], 1, 1]) as Tensor3D, x], 1)};
  },
  'a causal convolution': ([steps, of], {weight, draw}) => {
    const [units, padding] = [
      draw.int(2, 3),
      [
        [0, 0],
        [1, 0],
        [0, 0],
      ] as [number, number][],
    ];
    const w = weight(2, of, units);
    return {size: [steps, units], apply: (x) => conv1d(pad(x, padding), w as Tensor as Tensor3D, 1, 'valid')};
  },
  pooling: ([steps, of]) => ({
    size: [steps, of],
    apply: (x) => squeeze(avgPool(expandDims(x, 1) as Tensor4D, [1, 2], 1, 'same'), [1]),
  }),
  'best step': ([, of]) => ({size: [2, of], apply: (x) => concat([max(x, 1, true), mean(x, 1, true)], 1)}),
  'running sum': ([steps, of]) => ({
    size: [steps, of],
    apply: (x) => transpose(cumsum(transpose(x, [0, 2, 1]), 2), [0, 2, 1]),
  }),
  'cut and joined': ([steps, of], {draw}) => {
    const at = draw.int(0, of - 1);
    return {
      size: [steps, of + 1],
      apply: (x) => {
        const one = slice(x, [0, 0, at], [-1, -1, 1]);
        return concat([mul(one, one), sub(x, one)], 2);
      },
    };
  },
  halves: ([steps, of]) => ({
    size: [steps, of],
    apply: (x) => {
      const [a, b] = split(concat([x, sigmoid(x)], 2), 2, 2) as [Tensor, Tensor];
      return mul(a, b);
    },
  }),
  prelu: ([steps, of], {weight}) => {
    const alpha = weight(steps, of);
    return {size: [steps, of], apply: (x) => prelu(x as Tensor, alpha as Tensor)};
  },
  'the positive ones': (size) => ({size, apply: (x) => where(greaterEqual(x, 0), leakyRelu(x), mul(x, x))}),
  'the larger one': ([steps, of], {weight}) => {
    const w = weight(of);
    return {size: [steps, of], apply: (x) => maximum(x, mul(x, w))};
  },
  'step by choice': ([steps, of]) => {
    const order = Array.from({length: steps + 1}, (_, i) => (i * 2) % steps);
    return {size: [steps + 1, of], apply: (x) => gather(x, tensor(order, [steps + 1], 'int32') as never, 1)};
  },
  weighted: ([steps, of], {weight}) => {
    const w = weight(of, 1);
    return {
      size: [2, of],
      apply: (x) => {
        const scores = softmax(reshape(matMul(reshape(x, [-1, of]), w), [-1, steps]));
        return concat([sum(mul(x, expandDims(scores, 2)), 1, true), slice(x, [0, 0, 0], [-1, 1, -1])], 1);
      },
    };
  },
  'two views': ([steps, of], {weight, batch}) => {
    const w = weight(of, of);
    return {
      size: [steps, of],
      apply: (x) => {
        const both = concat([x, mul(x, 0.5)], 0);
        const seen = rows(tanh(matMul(reshape(both, [-1, of]), w)), steps, of);
        return sub(slice(seen, [0, 0, 0], [batch, -1, -1]), slice(seen, [batch, 0, 0], [batch, -1, -1]));
      },
    };
  },
  'rows behind features': ([steps, of], {weight}) => {
    const w: Tensor2D = weight(steps * of, steps * of) as Variable<Rank.R2>;
    return {
      size: [steps, of],
      apply: (x) => rows(transpose(matMul(w, reshape(x, [-1, steps * of]), false, true)), steps, of),
    };
  },
  // Those that mix rows.
  'batch mean': (size) => ({size, mixes: true, apply: (x) => sub(x, mean(x, 0, true))}),
  'neighbour in the batch': (size, {batch}) => {
    const order = Array.from({length: batch}, (_, i) => (i + 1) % batch);
    const neighbours = (x: Tensor) => gather(x, tensor(order, [batch], 'int32') as never, 0);
    return {size, mixes: true, apply: (x) => add(x, neighbours(x))};
  },
  'batch turned round': (size) => ({size, mixes: true, apply: (x) => add(exp(mul(x, 0.1)), reverse(x, 0))}),
  'attention over the batch': ([steps, of]) => ({
    size: [steps, of],
    mixes: true,
    apply: (x) => {
      const flat = reshape(x, [-1, steps * of]);
      return rows(matMul(softmax(matMul(flat, flat, false, true)), flat), steps, of);
    },
  }),
  'rows straddled': ([steps, of], {batch, weight}) => {
    const w = weight(2, 1);
    const halves = (x: Tensor) => reshape(x, batch % 2 ? [1, batch, -1] : [2, batch / 2, -1]);
    return {
      size: [steps, of],
      mixes: batch % 2 === 0,
      apply: (x) => rows(batch % 2 ? halves(x) : mul(halves(x), reshape(w, [2, 1, 1])), steps, of),
    };
  },
  // Layers.
  'layer: dense': fromLayer(
    () => layers.dense({units: 3, activation: 'relu', biasInitializer: 'randomNormal'}) as never,
    () => 3,
  ),
  'layer: lstm': fromLayer(
    () => layers.lstm({units: 3, ...recurrent}) as never,
    () => 3,
  ),
  'layer: gru backwards': fromLayer(
    () => layers.gru({units: 2, goBackwards: true, ...recurrent}) as never,
    () => 2,
  ),
  'layer: bidirectional': fromLayer(
    () =>
      layers.bidirectional({layer: layers.simpleRNN({units: 2, ...recurrent}) as never, mergeMode: 'concat'}) as never,
    () => 4,
  ),
  'layer: time distributed': fromLayer(
    () => layers.timeDistributed({layer: layers.dense({units: 2, activation: 'tanh'})}) as never,
    () => 2,
  ),
  'layer: layer normalisation': fromLayer(() => layers.layerNormalization({epsilon: 0.1}) as never),
  'layer: batch normalisation': (size, builder) => ({
    ...fromLayer(() => layers.batchNormalization({epsilon: 0.1}) as never)(size, builder),
    mixes: true,
  }),
  'layer: dropout': fromLayer((_, {draw}) => layers.dropout({rate: 0.3, seed: draw.int(1, 999)}) as never),
  'layer: conv1d': fromLayer(
    () => layers.conv1d({filters: 3, kernelSize: 2, padding: 'same'}) as never,
    () => 3,
  ),
};

export interface RandomModel {
  blocks: Block[];
  variables: Variable[];
  x: Tensor3D;
  /** The loss of each row, `[B]`. */
  losses(x?: Tensor3D): Tensor;
  dispose(): void;
}

/** Builds a model of one to some random blocks, and data for it. */
export function randomModel(draw: Draw, batch: number): RandomModel {
  const random = randomFrom(draw.int(1, 1e6));
  const filled = (shape: number[]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    return tensor(
      Array.from({length: size}, () => random() * 1.6 - 0.8),
      shape,
    );
  };
  let size: Size = [draw.int(2, 3), draw.int(2, 3)];
  const x = keep(filled([batch, ...size])) as Tensor3D;
  const scale = variable(filled([size[1]]));
  const names = Object.keys(BLOCKS);
  const blocks: Block[] = [];
  for (let count = draw.int(1, 5); count > 0; count--) {
    const name = draw.pick(...names);
    const variables: Variable[] = [];
    const weight = (...shape: number[]) => {
      const made = variable(filled(shape));
      variables.push(made);
      return made;
    };
    const made = (BLOCKS[name] as Make)(size, {draw, batch, weight}) as Block & {layer?: AnyLayer};
    if (made.layer) {
      made.layer.apply(filled([batch, ...size]), {training: true});
      const weights = made.layer.trainableWeights.map((one) => one.read() as Variable);
      for (const one of weights) one.assign(filled(one.shape));
      variables.push(...weights);
    }
    blocks.push({...made, name, variables});
    size = made.size;
  }
  const goal = keep(filled([batch, ...size]));
  const variables = [scale, ...blocks.flatMap((block) => block.variables)];
  const outputs = (of: Tensor3D) =>
    blocks.reduce((at, block) => block.apply(at) as Tensor3D, mul(of, scale) as Tensor3D);
  return {
    blocks,
    variables,
    x,
    losses: (of = x) => sum(square(sub(outputs(of), goal)), [1, 2]),
    dispose: () => {
      for (const one of [...variables, x, goal]) one.dispose();
    },
  };
}
