import {
  dispose,
  mean,
  type Optimizer,
  type Scalar,
  square,
  sub,
  sum,
  type Tensor,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {halfSquaredError, ohemStep, topK} from 'ohem-tfjs';
import {type Contestant, interleaved, type Timing} from '../interleaved';
import {type Batch, randomBatch, SUBJECTS} from '../models';
import {STRATEGIES} from '../steps';

const [ROWS, KEPT] = [512, 384];

/** Times a plain step and steps that mine, on the backend that is set. Each waits for its loss: what a GPU has only been told to do takes no time. */
export async function measureBackend(rounds: number): Promise<Timing[]> {
  const subject = SUBJECTS[0] as (typeof SUBJECTS)[number];
  const model = subject.build();
  const batch = randomBatch(ROWS, subject.shape);
  const mining: Contestant[] = [];
  for (const backward of STRATEGIES) {
    const step = ohemStep(model, {loss: halfSquaredError(), select: topK({k: KEPT}), backward});
    await step.prepare(batch.xs, batch.ys);
    mining.push({name: backward, isSlow: true, run: () => step(batch.xs, batch.ys).read()});
  }
  const timings = await interleaved(
    [{name: 'plain', isSlow: true, run: () => plainStep(model, batch)}, ...mining],
    rounds,
  );
  dispose([batch.xs, batch.ys]);
  model.dispose();
  return timings;
}

async function plainStep(model: LayersModel, {xs, ys}: Batch): Promise<void> {
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable);
  const loss = () => mean<Scalar>(sum(square(sub(model.apply(xs, {training: true}) as Tensor, ys)), 1));
  const {value, grads} = variableGrads(loss, variables);
  (model.optimizer as Optimizer).applyGradients(grads);
  dispose(grads);
  await value.data();
  value.dispose();
}
