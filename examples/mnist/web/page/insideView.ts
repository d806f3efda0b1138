import type {Run} from '../../experiment/results';
import type {Curves, View} from '../protocol';
import {batchView} from './batchView';
import {element} from './element';
import {histograms} from './histograms';
import {insideFigures} from './insideFigures';
import {paint} from './runPaint';
import {batchWall, ledgerWall} from './wall';

/** All that is shown of one run: its batch, numbers, histograms, and the two walls of digits. */
export interface InsideView {
  /** Shows that there is nothing yet of a run. */
  clear(runs: Run[], shown: number): void;
  draw(view: View, runs: Run[], curves: Curves): void;
}

export function insideView(): InsideView {
  const results = element('results', HTMLElement);
  const batch = batchView();
  const figures = insideFigures();
  const panels = histograms();
  const hardest = batchWall();
  const mostMined = ledgerWall();
  return {
    clear(runs, shown) {
      if (runs[shown]) paint(results, runs, shown);
      batch.clear(runs, shown);
      figures.clear(runs[shown]);
      panels.clear();
      hardest.clear();
      mostMined.clear();
    },
    draw(view, runs, curves) {
      const run = runs[view.run];
      if (!run) return;
      paint(results, runs, view.run);
      batch.draw(view, runs);
      figures.draw(view, run, curves);
      panels.draw(view.histograms, run);
      hardest.draw(view.hardest);
      mostMined.draw(view.mostMined);
    },
  };
}
