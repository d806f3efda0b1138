import {getBackend, keep, type Tensor1D} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkOneOf, livesInMainMemory, rangeError} from '../checks';
import type {BackwardStrategy} from '../gradients/backwardPass';
import {type BackwardChoice, chooseBackward, type PruningFound} from '../gradients/chooseBackward';
import {type ProbedLayer, probe, type Verdict, verdict} from '../gradients/probe';
import {type Pruning, pruningOf} from '../gradients/pruning';
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
  /** Looks into the model now, whatever backend it is on, and remembers what the promise brings. Looks only once. */
  prepare(task: StepTask): Promise<void>;
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
      prepare: () => Promise.resolve(),
      sawKept: nothing,
      giveUpPruning: nothing,
    };
  }
  let found: PruningFound = {reason: '', isRowByRow: false};
  /** The weights that it was found for; none before the first look. */
  let trained = '';
  const namesOf = (task: StepTask) => String(task.variables.map(({id}) => id));
  // A layer was frozen or thawed, or it is the first step: other gradients are needed now.
  const isNews = (task: StepTask) => namesOf(task) !== trained;
  const remember = ({isUndecided, ...looked}: Found, variables: string) => {
    found = looked;
    trained = isUndecided ? '' : variables;
  };
  return {
    choose(task) {
      if (isNews(task)) {
        const {trial, judge} = lookInto(model, task, livesInMainMemory());
        remember(judge(trial?.dataSync<'float32'>()), namesOf(task));
      }
      const kept = keptOf[task.batchSize] ?? task.keeps();
      return {...chooseBackward(task.batchSize, kept, found, asked), ...found};
    },
    async prepare(task) {
      if (!isNews(task)) return;
      const variables = namesOf(task);
      const {trial, judge} = lookInto(model, task, true);
      const held = trial && keep(trial);
      try {
        remember(judge(await held?.data<'float32'>()), variables);
      } finally {
        held?.dispose();
      }
    },
    sawKept(batchSize, kept) {
      keptOf[batchSize] = kept;
    },
    giveUpPruning() {
      found = {reason: OPS_CHANGED, isRowByRow: false};
    },
  };
}

type Found = PruningFound & {isUndecided: boolean};

interface Look {
  /** Two numbers to be read, where the plan was tried. */
  trial: Tensor1D | undefined;
  /** What was found, given the numbers. */
  judge(trial: Float32Array | undefined): Found;
}

/** Looks into a model. Trying a plan takes a read, which no step may wait for on a GPU. */
function lookInto(model: LayersModel, task: StepTask, triesPlan: boolean): Look {
  try {
    const {plan, trial, ...probed} = probe(
      task.cleanInputs(),
      task.predict,
      task.variables,
      layersOf(model),
      triesPlan,
    );
    if (!plan) return refused('the ops of the model are not the same for each batch');
    const pruning = pruningOf({...probed, plan}, task.variables);
    return {trial, judge: (numbers) => (numbers ? tried(pruning, verdict(numbers, task.batchSize)) : untried(pruning))};
  } catch (error) {
    return refused(`it could not be tried (${(error as Error).message})`);
  }
}

const refused = (reason: string): Look => ({
  trial: undefined,
  judge: () => ({reason, isUndecided: false, isRowByRow: false}),
});

function tried(pruning: Pruning, {fits, isUndecided, isRowByRow}: Verdict): Found {
  if (!fits) return {reason: 'gradients of some rows differ from those of all rows', isUndecided, isRowByRow: false};
  return {pruning, isUndecided, isRowByRow: goesRowByRow(pruning) || (!pruning.mixesRows && isRowByRow)};
}

function untried(pruning: Pruning): Found {
  const reason = `trying it would wait for ${getBackend()}, unless by step.prepare()`;
  return {reason, isUndecided: false, isRowByRow: goesRowByRow(pruning)};
}

/** Whether every op is known to go row by row: then nothing has to be tried. */
const goesRowByRow = ({mixesRows, blocker}: Pruning) => !mixesRows && !blocker;

/** The layers of a model, and of the models in it. */
function layersOf(model: LayersModel): ProbedLayer[] {
  return model.layers.flatMap((layer) => [
    layer as unknown as ProbedLayer,
    ...('layers' in layer ? layersOf(layer as LayersModel) : []),
  ]);
}
