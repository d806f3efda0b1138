import {
  add,
  gather,
  mean,
  mul,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, ohemStep, type Selector, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../../support/backends';
import {expectSameDirection, norm} from '../../support/close';
import {SPECIMENS, type Specimen} from '../../support/models';
import {read} from '../../support/read';
import {recordingOptimizer} from '../../support/recordingOptimizer';

const BATCH_SIZE = 12;

const KEPT = [
  [1, topK({k: 1})],
  [5, topK({k: 5})],
  [BATCH_SIZE, all()],
] as const;

/** There every op of another shape waits for a shader to be compiled. */
const isGpu = (backend: string) => backend.startsWith('webg');

enableWasmTraining();

describeOnBackends('The ways to the gradients', (backend) => {
  describe.each(SPECIMENS.filter(({wrongOn}) => !wrongOn?.includes(backend)))('of $name', (specimen) => {
    for (const [kept, select] of isGpu(backend) ? KEPT.slice(1, 2) : KEPT) {
      it(`agree with each other and with autodiff over ${kept} gathered rows`, async () => {
        const {byStrategy, byAutodiff} = await gradientsOf(specimen, select, kept);
        const rounding = 1e-7 * norm(byAutodiff.flat());
        for (const gradients of Object.values(byStrategy)) {
          expect(gradients.length).toBe(byAutodiff.length);
          gradients.forEach((gradient, i) => {
            expectSameDirection(gradient, byAutodiff[i] as number[], 1e-5, rounding);
          });
        }
      });
    }
  });
});

/**
 * Gradients of the mean crossentropy of the `kept` hardest rows, by every strategy and without this
 * library.
 */
async function gradientsOf(specimen: Specimen, select: Selector, kept: number) {
  const model = specimen.build();
  const [xs, ys] = [specimen.xs(BATCH_SIZE), specimen.ys(BATCH_SIZE)];
  const loss = categoricalCrossentropy();
  const lossWeights = ys.map((_, output) => 1 + output / 2);
  const byStrategy: Record<string, number[][]> = {};
  for (const backward of ['masked', 'recompute', 'pruned'] as const) {
    const recording = recordingOptimizer();
    const step = ohemStep(model, {loss, lossWeights, select, optimizer: recording.optimizer, backward});
    step(xs, ys).dispose();
    step(xs, ys).dispose();
    // Where all rows are kept none is left to be cut.
    expect(step.strategy, step.why).toBe(backward === 'pruned' && kept === BATCH_SIZE ? 'masked' : backward);
    byStrategy[backward] = await valuesOf(recording.gradients);
  }

  const rowLosses = (inputs: Tensor[], targets: Tensor[]) =>
    predict(model, inputs)
      .map((yPred, output) => mul(loss(targets[output] as Tensor, yPred), lossWeights[output] as number))
      .reduce((total, next) => add(total, next)) as Tensor1D;
  const losses = await read(() => rowLosses(xs, ys));
  const hardest = [...losses.keys()].sort((a, b) => (losses[b] as number) - (losses[a] as number)).slice(0, kept);
  const keptOf = (tensors: Tensor[]) => tensors.map((tensor) => gather(tensor, hardest));
  const [keptXs, keptYs] = [keptOf(xs), keptOf(ys)];
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  const {grads} = variableGrads(() => {
    const penalties = model.layers.flatMap((layer) => layer.calculateLosses());
    return [mean(rowLosses(keptXs, keptYs)), ...penalties].reduce((total, next) => add(total, next)) as Scalar;
  }, variables);
  return {byStrategy, byAutodiff: await valuesOf(variables.map(({name}) => grads[name] as Tensor))};
}

/** The numbers of each tensor; disposes them. */
const valuesOf = (tensors: readonly Tensor[]) => Promise.all(tensors.map((tensor) => read(() => tensor)));

function predict(model: LayersModel, xs: Tensor[]): Tensor[] {
  const outputs = model.apply(xs.length === 1 ? (xs[0] as Tensor) : xs, {training: true}) as Tensor | Tensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}
