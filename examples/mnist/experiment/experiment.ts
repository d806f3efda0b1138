import type {RunResult, Settings} from './results';
import {parseRuns} from './runs';
import {type RunProgress, type RunState, type TrainAndTest, trainRun} from './trainRun';

/** All that the experiment needs to resume. */
export interface ExperimentState {
  /** Runs that are over, in order. */
  finished: RunResult[];
  /** The run in progress, if any. */
  current?: RunState;
}

/** Where the experiment is after a step of one of its runs. */
export interface ExperimentProgress extends Omit<RunProgress, 'state'> {
  /** Which run it is, counted from 0. */
  index: number;
  /** All runs so far, the current one last. */
  results: RunResult[];
  /** Copies all that the experiment needs to resume; call it before asking for the next step. */
  state(): Promise<ExperimentState>;
}

/**
 * Takes the runs of the experiment one after the other, each from the same first weights, over the
 * same rows in the same order.
 *
 * It neither prints nor writes, and needs no more than a backend: a shell, on the command line or
 * on a page, shows and saves what it yields. Between two steps it holds still, so that a shell can
 * see to other things.
 *
 * @param digits  images to train and to test on.
 * @param settings  of all runs; the backend has to be set already.
 * @param from  a state of the same experiment.
 * @returns a generator that yields after every step; leaving its loop disposes what it made.
 */
export async function* runExperiment(
  digits: TrainAndTest,
  settings: Settings,
  from: ExperimentState = {finished: []},
): AsyncGenerator<ExperimentProgress, void, undefined> {
  const runs = parseRuns(settings.runs.join(','), 'runExperiment: settings.runs');
  const finished = [...from.finished];
  let current = from.current;
  for (const [index, run] of runs.entries()) {
    if (index < finished.length) continue;
    for await (const progress of trainRun(run, digits, settings, current)) {
      const {step, result, state} = progress;
      const results = [...finished, result];
      yield {
        ...progress,
        index,
        results,
        state: async () =>
          step === settings.steps
            ? {finished: structuredClone(results)}
            : {finished: structuredClone(finished), current: await state()},
      };
      if (step === settings.steps) finished.push(result);
    }
    current = undefined;
  }
}
