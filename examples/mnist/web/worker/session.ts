import {disposeVariables} from '@tensorflow/tfjs-core';
import {miningLedger} from 'ohem-tfjs';
import type {DigitData} from '../../data/digits';
import type {Backend, Settings} from '../../experiment/results';
import {parseRuns} from '../../experiment/runs';
import {type SideBySideProgress, sideBySide} from '../../experiment/sideBySide';
import {DivergedError, type RunState} from '../../experiment/trainRun';
import type {FromWorker} from '../protocol';
import {LIVE_SCHEDULE} from './liveSchedule';
import type {LoadedBackend} from './loadBackend';
import {viewOf} from './view';

/** Milliseconds between two copies of the weights: what a lost GPU costs at most. */
const COPY_EVERY = 2000;
/**
 * Milliseconds between two views of a batch: four a second are as many as an eye follows, and
 * little work beside the steps.
 */
const LOOK_EVERY = 250;

export interface SessionOptions {
  digits: DigitData;
  settings: Settings;
  /** The run whose batches are looked at. */
  shown: number;
  isPaused: boolean;
  load: (backend: Backend) => Promise<LoadedBackend>;
  /** Strikes a backend off the list, and names the next best; undefined if none is left. */
  strikeOff: (backend: Backend, message: string) => Backend | undefined;
  post: (message: FromWorker) => void;
}

/** A training run that can be paused, taken step by step, and moved to another backend. */
export interface Session {
  pause(): void;
  resume(): void;
  /** Lets every run take a step, or those that are a step behind the others. */
  step(): void;
  show(run: number): void;
  switchTo(backend: Backend): void;
  /** Ends the training run; it is over when the promise resolves. */
  end(): Promise<void>;
}

/**
 * Begins to train the runs side by side, and posts what comes of it.
 *
 * The weights are copied to main memory every now and then. When a backend fails, whatever the
 * reason, training continues from the last copy on the next best one.
 */
export function beginSession({digits, settings, shown, isPaused, load, strikeOff, post}: SessionOptions): Session {
  const runs = parseRuns(settings.runs.join(','), 'beginSession: settings.runs');
  const ledgers = runs.map(() => ({ledger: miningLedger(digits.train.count), steps: 0}));
  const states: (RunState | undefined)[] = runs.map(() => undefined);
  let latest: (SideBySideProgress | undefined)[] = [];
  let wanted = settings.backend;
  let allowed = isPaused ? 0 : Number.POSITIVE_INFINITY;
  let isOver = false;
  let copiedAt = performance.now();
  let looked: {at: number; progress: SideBySideProgress | undefined} = {at: 0, progress: undefined};
  let wake = () => {};

  const stepsOf = (index: number) => latest[index]?.step ?? states[index]?.result.steps.length ?? 0;
  const stepsTaken = () => runs.map((_, index) => stepsOf(index));
  const isFinished = () => Math.min(...stepsTaken()) >= settings.steps;

  async function trainAnywhere(): Promise<void> {
    while (!isOver) {
      const backend = wanted;
      try {
        await trainOn(backend);
      } catch (error) {
        const {message} = error as Error;
        if (error instanceof DivergedError) {
          post({type: 'failed', message: `${message} Reset, and try a smaller learning rate.`});
          return;
        }
        goOnElsewhere(backend, message);
      }
    }
  }

  function goOnElsewhere(backend: Backend, message: string): void {
    disposeVariables();
    const next = strikeOff(backend, message);
    post({type: 'backendFailed', backend, message, ...(next && {next})});
    if (next) wanted = next;
    else isOver = true;
  }

  /** Trains until it is over or another backend is wanted. */
  async function trainOn(backend: Backend): Promise<void> {
    post({type: 'busy', text: `Starting ${backend} …`});
    const {lost} = await load(backend);
    // What waits for a lost GPU waits for ever.
    const orLost = <T>(work: Promise<T>) => Promise.race([work, lost]);
    latest = [];
    const curves = runs.map((run, index) => {
      const {selectedLoss = [], testAccuracy = []} = states[index]?.result ?? {};
      return {...run, selectedLoss, testAccuracy};
    });
    post({type: 'running', backend, runs: curves});
    const isWanted = () => !isOver && wanted === backend;
    const steps = sideBySide(digits, {...settings, backend}, states, {schedule: LIVE_SCHEDULE});
    try {
      for (;;) {
        await orLost(rest(isWanted));
        if (!isWanted()) break;
        const {value} = await orLost(steps.next());
        if (value) await orLost(afterStep(value));
      }
      if (!isOver) await orLost(copyStates());
    } catch (error) {
      steps.return().catch(() => {});
      throw error;
    }
    await steps.return();
  }

  /**
   * Lets messages in, and waits while it is paused or finished; a request meanwhile is
   * done.
   */
  async function rest(isWanted: () => boolean): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    let isSaid = false;
    while (isWanted() && (allowed === 0 || isFinished())) {
      await look();
      if (!isSaid) {
        await copyStates();
        post({type: isFinished() ? 'finished' : 'paused'});
        isSaid = true;
        // Somebody may have asked meanwhile.
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  async function afterStep(progress: SideBySideProgress): Promise<void> {
    const {index, step, selectedLoss, result} = progress;
    latest[index] = progress;
    // Not below 0, where a pause came during the step.
    allowed = Math.max(0, allowed - 1);
    const counted = ledgers[index] as (typeof ledgers)[number];
    // After a loss some steps are taken again, which is no reason to count them again.
    if (step > counted.steps) {
      const {rows, losses, kept} = await progress.batch();
      counted.ledger.record(rows, losses, kept);
      counted.steps = step;
    }
    post({type: 'stepped', run: index, step, selectedLoss, testAccuracy: result.testAccuracy});
    if (performance.now() - copiedAt >= COPY_EVERY) await copyStates();
    if (performance.now() - looked.at >= LOOK_EVERY) await look();
  }

  async function copyStates(): Promise<void> {
    for (const progress of latest) if (progress) states[progress.index] = await progress.state();
    copiedAt = performance.now();
  }

  async function look(): Promise<void> {
    const progress = latest[shown];
    if (!progress || progress === looked.progress) return;
    const {ledger} = ledgers[shown] as (typeof ledgers)[number];
    post({type: 'view', view: await viewOf(progress, await progress.batch(), ledger, digits.train)});
    looked = {at: performance.now(), progress};
  }

  const over = trainAnywhere().catch(({message}: Error) => {
    post({type: 'failed', message: `Training cannot continue: ${message} Reset it.`});
  });
  return {
    pause() {
      allowed = 0;
    },
    resume() {
      allowed = Number.POSITIVE_INFINITY;
      wake();
    },
    step() {
      const taken = stepsTaken();
      allowed = taken.filter((steps) => steps === Math.min(...taken)).length;
      wake();
    },
    show(run) {
      shown = run;
      wake();
    },
    switchTo(backend) {
      wanted = backend;
      wake();
    },
    async end() {
      isOver = true;
      wake();
      await over;
    },
  };
}
