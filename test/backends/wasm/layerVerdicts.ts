import {
  mean,
  mul,
  type Scalar,
  setBackend,
  square,
  type Tensor,
  tensor,
  tidy,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {randomFrom} from '../../support/property';
import type {LayerCase} from './layerCases';
import {random} from './sameAsCpu';

/**
 * Whether a layer trains: its gradients are right, or it throws, or it says nothing and they are
 * wrong.
 */
type Verdict = 'yes' | 'no' | 'wrong';
export type Verdicts = [cpu: Verdict, stockWasm: Verdict, ourWasm: Verdict];

/** The gradient of each weight, all numbers in a row. */
type Gradients = readonly Float32Array[];

const SETUPS = [
  async () => {
    await setBackend('cpu');
    return () => {};
  },
  async () => {
    await setBackend('wasm');
    return () => {};
  },
  async () => {
    await setBackend('wasm');
    return enableWasmTraining();
  },
];

/** How a layer trains on cpu, on wasm, and on wasm with our kernels. */
export async function verdictsOf(layer: LayerCase): Promise<Verdicts> {
  const found: (Gradients | undefined)[] = [];
  for (const prepare of SETUPS) {
    const restore = await prepare();
    try {
      found.push(gradientsOf(layer));
    } catch {
      found.push(undefined);
    } finally {
      restore();
    }
  }
  await setBackend('cpu');
  const [onCpu] = found;
  const right = onCpu && agreesWithDifferences(layer, onCpu) ? onCpu : undefined;
  return found.map((gradients) => {
    if (!gradients) return 'no';
    return (right ? areClose(gradients, right) : agreesWithDifferences(layer, gradients)) ? 'yes' : 'wrong';
  }) as Verdicts;
}

/** A model with weights that are the same every time, and its trainable ones. */
function built({build}: LayerCase): {model: LayersModel; weights: Variable[]} {
  const model = build();
  model.setWeights(model.getWeights().map(({shape}, i) => random(shape, 100 + i)));
  const weights = model.trainableWeights.map((weight) => (weight as unknown as {val: Variable}).val);
  return {model, weights};
}

function gradientsOf(layer: LayerCase): Gradients {
  return tidy(() => {
    const {model, weights} = built(layer);
    const xs = layer.xs();
    const loss = () => {
      const ys = model.apply(xs, {training: true}) as Tensor;
      return mean(square(mul(ys, random(ys.shape, 5)))) as Scalar;
    };
    const {grads} = variableGrads(loss, weights);
    return weights.map(({name}) => (grads[name] as Tensor).dataSync() as Float32Array);
  });
}

/**
 * The loss of `gradientsOf`, in float64 from the outputs of the model on, with one weight moved.
 */
function lossWith(layer: LayerCase, moved: number, by: (i: number) => number): number {
  return tidy(() => {
    const {model, weights} = built(layer);
    const weight = weights[moved] as Variable;
    weight.assign(
      tensor(
        weight.dataSync().map((value, i) => value + by(i)),
        weight.shape,
      ),
    );
    const ys = model.apply(layer.xs(), {training: true}) as Tensor;
    const factors = random(ys.shape, 5).dataSync();
    const squares = Array.from(ys.dataSync(), (y, i) => (y * (factors[i] as number)) ** 2);
    return squares.reduce((total, value) => total + value, 0) / squares.length;
  });
}

/**
 * Whether the loss changes as the gradients say, along random directions. The outputs are float32,
 * and may have kinks: this only tells right from wrong.
 */
function agreesWithDifferences(layer: LayerCase, gradients: Gradients): boolean {
  const step = 2e-3;
  return gradients.every((gradient, weight) =>
    [1, 2, 3].every((seed) => {
      const next = randomFrom(seed);
      const direction = Array.from(gradient, () => (next() < 0.5 ? -1 : 1));
      const along = (h: number) => lossWith(layer, weight, (i) => h * (direction[i] as number));
      const difference = (along(step) - along(-step)) / (2 * step);
      const expected = direction.reduce((total, sign, i) => total + sign * (gradient[i] as number), 0);
      const off = Math.abs(difference - expected) / Math.hypot(...gradient);
      return off < 0.05;
    }),
  );
}

/** Whether all numbers are within 1e-4 of the largest of their gradient. */
function areClose(actual: Gradients, expected: Gradients): boolean {
  return actual.every((gradient, weight) => {
    const right = expected[weight] as Float32Array;
    const largest = right.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    return gradient.every((value, i) => Math.abs(value - (right[i] as number)) <= 1e-4 * largest);
  });
}
