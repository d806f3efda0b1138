import {getBackend} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkOneOf, livesInMainMemory, rangeError} from '../checks';
import type {BackwardStrategy} from '../gradients/backwardPass';
import {type BackwardChoice, chooseBackward, type PruningFound} from '../gradients/chooseBackward';
import {type ProbedLayer, probe} from '../gradients/probe';
import {pruningOf} from '../gradients/pruning';
import type {Granularity} from '../types';
import type {StepTask} from './stepTask';

const BACKWARD = ['auto', 'pruned', 'recompute', 'masked'] as const;

/** How gradients are computed, as far as that is known before the first batch, and why. */
export interface AskedBackward {
  strategy: 'auto' | BackwardStrategy;
  why: string;
}

/** Checks which way to the gradients is asked for; where elements are mined there is one. */
export function askedBackward(
  where: string,
  backward: 'auto' | BackwardStrategy,
  granularity: Granularity,
): AskedBackward {
  checkOneOf(where, 'backward', backward, BACKWARD);
  if (granularity === 'element') {
    if (backward === 'auto' || backward === 'masked') {
      return {strategy: 'masked', why: 'elements of every row may be kept, so all rows run backward'};
    }
    const remedy = 'Elements of every row may be kept, so all rows run backward.';
    throw rangeError(where, 'backward', 'be one of auto, masked for elements', backward, remedy);
  }
  return {strategy: backward, why: backward === 'auto' ? 'the first batch decides' : 'as asked for'};
}

/** Why a plan is given up. */
export const OPS_CHANGED = 'the ops of the model changed from one batch to the next';

/** Decides for each batch how its gradients are computed; looks into the model once, and remembers. */
export interface Strategist {
  choose(task: StepTask): BackwardChoice & PruningFound;
  /** Tells how many rows a selection turned out to have, to choose by the next time. */
  sawKept(batchSize: number, kept: number): void;
  /** Gives pruning up: the ops of the model were others than it was planned for. */
  giveUpPruning(): void;
}

/** How many rows were last kept of a batch of so many. */
export type KeptBySize = Record<number, number>;

/**
 * Builds a strategist for a model. Its look into the model runs that forward in training mode.
 *
 * @param keptOf  what it goes by, and brings up to date.
 */
export function strategist(
  model: LayersModel,
  {strategy: asked, why}: AskedBackward,
  keptOf: KeptBySize = {},
): Strategist {
  if (asked === 'masked' || asked === 'recompute') {
    const nothing = () => undefined;
    return {
      choose: () => ({strategy: asked, why, reason: '', isRowByRow: false}),
      sawKept: nothing,
      giveUpPruning: nothing,
    };
  }
  let found: PruningFound | undefined;
  let trained = '';
  return {
    choose(task) {
      const variables = String(task.variables.map(({id}) => id));
      if (!found || variables !== trained) {
        // A layer was frozen or thawed, or it is the first step: other gradients are needed now.
        const {isUndecided, ...looked} = lookInto(model, task, asked);
        found = looked;
        trained = isUndecided ? '' : variables;
      }
      const kept = keptOf[task.batchSize] ?? task.keeps();
      return {...chooseBackward(task.batchSize, kept, found, asked), ...found};
    },
    sawKept(batchSize, kept) {
      keptOf[batchSize] = kept;
    },
    giveUpPruning() {
      found = {reason: OPS_CHANGED, isRowByRow: false};
    },
  };
}

function lookInto(model: LayersModel, task: StepTask, asked: 'auto' | 'pruned'): PruningFound & {isUndecided: boolean} {
  const {predict, variables} = task;
  // Trying a plan takes one read. WebGPU allows none, and nobody who left the choice to us asked for one that waits.
  const mayRead = livesInMainMemory() || (asked === 'pruned' && getBackend() !== 'webgpu');
  try {
    const probed = probe(task.cleanInputs(), predict, variables, layersOf(model), mayRead);
    const {plan, reason, isUndecided} = probed;
    if (!plan) return {reason, isUndecided, isRowByRow: false};
    const pruning = pruningOf({...probed, plan}, variables);
    // Where every op is known to go row by row nothing has to be tried.
    const isRowByRow = !pruning.mixesRows && (!pruning.blocker || probed.isRowByRow === true);
    if (!mayRead) return {reason: `trying it would wait for ${getBackend()}`, isUndecided: false, isRowByRow};
    return {pruning, isUndecided, isRowByRow};
  } catch (error) {
    return {reason: `it could not be tried (${(error as Error).message})`, isUndecided: false, isRowByRow: false};
  }
}

/** The layers of a model, and of the models in it. */
function layersOf(model: LayersModel): ProbedLayer[] {
  return model.layers.flatMap((layer) => [
    layer as unknown as ProbedLayer,
    ...('layers' in layer ? layersOf(layer as LayersModel) : []),
  ]);
}
