import type {Settings} from './results';
import {parseRuns} from './runs';
import {type RunProgress, type RunState, type RunVariant, type TrainAndTest, trainRun} from './trainRun';

/** Where one of the runs is after a step of it. */
export interface SideBySideProgress extends RunProgress {
  /** Which run it is, counted from 0. */
  index: number;
}

/**
 * Takes the runs of the experiment side by side, a step of each in turn: their curves grow
 * together, and are those that `runExperiment` gives one after the other.
 *
 * The run that is furthest behind goes next. What the last progress of each run offers can be
 * called for until the loop is left; the runs that are over wait for the others.
 *
 * @param digits  images to train and to test on.
 * @param settings  of all runs; the backend has to be set already.
 * @param from  where each run resumes, in the order of the runs; without a state it begins.
 * @param variant  differences of all runs from those of the experiment.
 * @returns a generator that yields after every step; leaving its loop disposes what it made.
 * @throws DivergedError if no loss of a batch is finite.
 */
export async function* sideBySide(
  digits: TrainAndTest,
  settings: Settings,
  from: readonly (RunState | undefined)[] = [],
  variant: RunVariant = {},
): AsyncGenerator<SideBySideProgress, void, undefined> {
  const runs = parseRuns(settings.runs.join(','), 'sideBySide: settings.runs');
  const trainings = runs.map((run, index) => trainRun(run, digits, settings, from[index], variant));
  const taken = runs.map((_, index) => from[index]?.result.steps.length ?? 0);
  try {
    for (;;) {
      const index = taken.indexOf(Math.min(...taken));
      if ((taken[index] as number) >= settings.steps) return;
      const {value} = await (trainings[index] as (typeof trainings)[number]).next();
      if (!value) return;
      taken[index] = value.step;
      yield {...value, index};
    }
  } finally {
    for (const training of trainings) await training.return();
  }
}
