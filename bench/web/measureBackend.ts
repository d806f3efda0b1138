import {dispose} from '@tensorflow/tfjs-core';
import {halfSquaredError, ohemStep, topK} from 'ohem-tfjs';
import {type Contestant, interleaved, type Timing} from '../interleaved';
import {randomBatch, SUBJECTS} from '../models';
import {plainStep, STRATEGIES} from '../steps';

const [ROWS, KEPT] = [512, 384];

/**
 * Times a plain step and steps that mine, on the backend that is set. Each waits for its loss: what
 * a GPU has only queued takes no time.
 */
export async function measureBackend(rounds: number): Promise<Timing[]> {
  const subject = SUBJECTS[0] as (typeof SUBJECTS)[number];
  const model = subject.build();
  const batch = randomBatch(ROWS, subject.shape);
  const mining: Contestant[] = [];
  for (const backward of STRATEGIES) {
    const step = ohemStep(model, {loss: halfSquaredError(), select: topK({k: KEPT}), backward});
    mining.push({name: backward, isSlow: true, run: () => step(batch.xs, batch.ys).read()});
  }
  const plain = async () => {
    const loss = plainStep(model, batch);
    await loss.data();
    loss.dispose();
  };
  const timings = await interleaved([{name: 'plain', isSlow: true, run: plain}, ...mining], rounds);
  dispose([batch.xs, batch.ys]);
  model.dispose();
  return timings;
}
