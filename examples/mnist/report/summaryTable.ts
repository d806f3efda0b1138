import type {Results, RunResult} from '../experiment/results';
import {percent} from './percent';

/** The results of a run, on one line. */
export interface SummaryRow {
  name: string;
  n: number;
  k: number;
  /**
   * Share of the test digits that were right at the last measurement, and at the best one; NaN
   * before there is any.
   */
  finalAccuracy: number;
  bestAccuracy: number;
  /**
   * Mean loss of the backpropagated rows over the last tenth of the steps (at least one); NaN
   * before there is any.
   */
  selectedLoss: number;
  msPerStep: number;
  /** Share of the backward work that is left: `k / n`, rows backpropagated per row run forward. */
  backwardShare: number;
}

export function summarise({runs}: Results): SummaryRow[] {
  return runs.map((run) => {
    const accuracies = run.testAccuracy.map(({accuracy}) => accuracy).filter(Number.isFinite);
    return {
      name: run.name,
      n: run.n,
      k: run.k,
      finalAccuracy: accuracies.at(-1) ?? Number.NaN,
      bestAccuracy: accuracies.length > 0 ? Math.max(...accuracies) : Number.NaN,
      selectedLoss: lastTenth(run),
      msPerStep: run.msPerStep,
      backwardShare: run.k / run.n,
    };
  });
}

function lastTenth({selectedLoss}: RunResult): number {
  const count = Math.max(1, Math.round(selectedLoss.length / 10));
  const losses = selectedLoss.slice(-count).filter(Number.isFinite);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/** The columns of the table, for a terminal and for a page alike. */
export const SUMMARY_COLUMNS: {
  heading: [above: string, below: string];
  cell: (row: SummaryRow) => string;
  /** Whether the name of a run has it too, so that a narrow page may leave it out. */
  isInName?: true;
}[] = [
  {heading: ['', 'run'], cell: ({name}) => name},
  {heading: ['', 'n'], cell: ({n}) => String(n), isInName: true},
  {heading: ['', 'k'], cell: ({k}) => String(k), isInName: true},
  {heading: ['final test', 'accuracy'], cell: ({finalAccuracy}) => percent(finalAccuracy)},
  {heading: ['best', 'accuracy'], cell: ({bestAccuracy}) => percent(bestAccuracy)},
  {heading: ['selected', 'loss (end)'], cell: ({selectedLoss}) => number(selectedLoss, 3)},
  {heading: ['time per', 'step'], cell: ({msPerStep}) => number(msPerStep, 1, ' ms')},
  {heading: ['backward', 'work k/n'], cell: ({backwardShare}) => percent(backwardShare).replace('.0 %', ' %')},
];

const number = (value: number, digits: number, unit = '') =>
  Number.isFinite(value) ? value.toFixed(digits) + unit : '–';

/** The rows as an aligned table for a terminal: names to the left, numbers to the right. */
export function formatTable(rows: SummaryRow[]): string {
  const columns = SUMMARY_COLUMNS.map(({heading, cell}, index) => {
    const cells = [...heading, ...rows.map(cell)];
    const width = Math.max(...cells.map((text) => text.length));
    return cells.map((text) => (index === 0 ? text.padEnd(width) : text.padStart(width)));
  });
  const lines = Array.from({length: rows.length + 2}, (_, line) => columns.map((cells) => cells[line]).join('  '));
  const rule = '─'.repeat(Math.max(...lines.map(({length}) => length)));
  return [...lines.slice(0, 2), rule, ...lines.slice(2)].map((line) => line.trimEnd()).join('\n');
}
