import type {Run} from '../../experiment/results';
import {percent} from '../../report/percent';
import type {Curves} from '../protocol';
import {bestAccuracy} from './bestAccuracy';
import {element} from './element';

/** Shares of all steps after which a screen reader hears how it goes. */
const PARTS = 10;

/** Where a training run is. */
interface Progress {
  backend: string;
  runs: readonly Run[];
  curves: readonly Curves[];
  steps: number;
}

/**
 * The line that describes the progress, the count of the steps, and the bar under it. The count
 * changes with every step and is no live region; the line is one, and changes seldom.
 */
export interface ProgressLine {
  say(text: string): void;
  /** Counts, and moves the bar. */
  count(progress: Progress): void;
  /** Counts; after each tenth of the steps the line says how it goes. */
  move(progress: Progress): void;
  reset(): void;
}

export function progressLine(): ProgressLine {
  const said = element('said', HTMLParagraphElement);
  const counted = element('count', HTMLParagraphElement);
  const bar = element('progress', HTMLProgressElement);
  let part = -1;
  const count = ({curves, steps}: Progress) => {
    bar.value = curves.reduce((sum, {selectedLoss}) => sum + selectedLoss.length, 0) / (steps * curves.length);
    counted.textContent = `Step ${stepOf(curves)} of ${steps}`;
  };
  return {
    count,
    say(text) {
      said.textContent = text;
      part = -1;
    },
    move(progress) {
      count(progress);
      const {backend, runs, curves, steps} = progress;
      const step = stepOf(curves);
      const reached = Math.floor((PARTS * step) / steps);
      if (reached === part) return;
      part = reached;
      said.textContent = `Training on ${backend}.${step > 0 ? bestOf(runs, curves, step) : ''}`;
    },
    reset() {
      bar.value = 0;
      counted.textContent = '';
      part = -1;
    },
  };
}

/** The steps that all runs have taken. */
const stepOf = (curves: readonly Curves[]) => Math.min(...curves.map(({selectedLoss}) => selectedLoss.length));

/** The best accuracy of any run at any step so far. */
function bestOf(runs: readonly Run[], curves: readonly Curves[], step: number): string {
  const bests = curves.map(({testAccuracy}) => bestAccuracy(testAccuracy)?.accuracy ?? Number.NEGATIVE_INFINITY);
  const best = Math.max(...bests);
  const run = runs[bests.indexOf(best)];
  return Number.isFinite(best) && run
    ? ` Best accuracy after ${step} ${step === 1 ? 'step' : 'steps'}: ${percent(best)} by ${run.name}.`
    : '';
}
