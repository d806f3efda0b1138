import type {Run} from '../../experiment/results';
import type {Curves, View} from '../protocol';
import {element} from './element';
import {histograms} from './histograms';
import {insideFigures} from './insideFigures';
import {paint} from './runPaint';
import {batchWall, ledgerWall} from './wall';

/** All that is shown of one run: its numbers, figure 2, and the two walls of digits. */
export interface InsideView {
  /** Shows that there is nothing yet of a run. */
  clear(run: Run | undefined): void;
  draw(view: View, runs: Run[], curves: Curves): void;
}

export function insideView(): InsideView {
  const results = element('results', HTMLElement);
  const figures = insideFigures();
  const panels = histograms();
  const hardest = batchWall();
  const mostMined = ledgerWall();
  return {
    clear(run) {
      figures.clear(run);
      panels.clear();
      hardest.clear();
      mostMined.clear();
    },
    draw(view, runs, curves) {
      const run = runs[view.run];
      if (!run) return;
      paint(results, runs, view.run);
      figures.draw(view, run, curves);
      panels.draw(view.histograms, run);
      hardest.draw(view.hardest);
      mostMined.draw(view.mostMined);
    },
  };
}
