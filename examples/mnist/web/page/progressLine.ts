import {percent} from '../../report/percent';
import type {Curves} from '../protocol';
import {element} from './element';

/** Shares of all steps after which a screen reader hears how it goes. */
const PARTS = 10;

/** The line that describes the progress, and the bar under it. */
export interface ProgressLine {
  say(text: string): void;
  /** Moves the bar; every so often the line says how far it is. */
  move(backend: string, curves: readonly Curves[], steps: number): void;
  reset(): void;
}

export function progressLine(): ProgressLine {
  const said = element('said', HTMLParagraphElement);
  const bar = element('progress', HTMLProgressElement);
  let part = -1;
  return {
    say(text) {
      said.textContent = text;
      part = -1;
    },
    move(backend, curves, steps) {
      const step = Math.min(...curves.map(({selectedLoss}) => selectedLoss.length));
      bar.value = curves.reduce((sum, {selectedLoss}) => sum + selectedLoss.length, 0) / (steps * curves.length);
      const reached = Math.floor((PARTS * step) / steps);
      if (reached === part) return;
      part = reached;
      const best = Math.max(...curves.map(({testAccuracy}) => testAccuracy.at(-1)?.accuracy ?? 0));
      said.textContent = `Training on ${backend}: step ${step} of ${steps}, best accuracy ${percent(best)}`;
    },
    reset() {
      bar.value = 0;
      part = -1;
    },
  };
}
