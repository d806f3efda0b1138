import {dispose, util} from '@tensorflow/tfjs-core';
import * as ohem from 'ohem-tfjs';
import {type SmallModel, smallBatch} from './smallModels';

/**
 * Steps before anything is counted. A mined step may replay an earlier one; the stock one only
 * uploads its tensors first.
 */
const WARM_UP = {mined: 6, stock: 2};

/** The functions of a build of this library that mine small models. */
export type SmallBuild = Pick<typeof import('ohem-tfjs'), 'categoricalCrossentropy' | 'ohemStep' | 'topK'>;

/** The steps that are compared on one small model and its batch. */
export interface SmallSteps {
  /** Builds a step that mines the harder half, by this build of the library or by another one. */
  mining(by?: SmallBuild): MinedStep;
  /** `trainOnBatch`, over all rows. */
  stock(): Promise<unknown>;
  dispose(): void;
}

export interface MinedStep {
  (): void;
  /** How the latest step computed its gradients. */
  strategy(): string;
}

/** Builds a small model and its batch, with the steps over them. */
export function smallSteps(small: SmallModel): SmallSteps {
  const model = small.build();
  const {xs, ys} = smallBatch(small);
  const perRow = small.granularity ? util.sizeFromShape(small.target.slice(0, -1)) : 1;
  return {
    mining(by = ohem) {
      const step = by.ohemStep(model, {
        loss: by.categoricalCrossentropy(),
        select: by.topK({k: (small.rows * perRow) / 2}),
        granularity: small.granularity ?? 'sample',
      });
      return Object.assign(() => step(xs, ys).dispose(), {strategy: () => step.strategy});
    },
    stock: () => model.trainOnBatch(xs, ys),
    dispose() {
      dispose([xs, ys]);
      model.dispose();
    },
  };
}

/** One count for each kind of step. */
export interface Compared<Count> {
  mined: Count;
  stock: Count;
}

/** Counts something in a warm step of each kind. */
export async function compareSteps<Count>(
  small: SmallModel,
  count: (step: () => unknown) => Promise<Count>,
): Promise<Compared<Count>> {
  const steps = smallSteps(small);
  const mined = steps.mining();
  for (let step = 0; step < WARM_UP.mined; step++) mined();
  for (let step = 0; step < WARM_UP.stock; step++) await steps.stock();
  const compared = {mined: await count(mined), stock: await count(steps.stock)};
  steps.dispose();
  return compared;
}
