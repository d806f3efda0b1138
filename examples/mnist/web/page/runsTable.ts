import type {Run} from '../../experiment/results';
import {percent} from '../../report/percent';
import type {Curves} from '../protocol';
import {bestAccuracy} from './bestAccuracy';
import {element, made} from './element';
import {lineSample} from './runPaint';

/** The legend of figure 1, its figures in words, and the choice of the run that is looked into. */
export interface RunsTable {
  reset(runs: Run[], shown: number): void;
  draw(index: number, curves: Curves): void;
}

/** @param onShow  told which run is chosen. */
export function runsTable(onShow: (index: number) => void): RunsTable {
  const body = element('runs-table', HTMLTableElement).tBodies[0] as HTMLTableSectionElement;
  let rows: {row: HTMLTableRowElement; cells: HTMLTableCellElement[]}[] = [];
  const mark = (shown: number) => {
    rows.forEach(({row}, index) => {
      row.classList.toggle('shown', index === shown);
    });
  };
  return {
    reset(runs, shown) {
      rows = runs.map((_, index) =>
        rowOf(runs, index, index === shown, () => {
          mark(index);
          onShow(index);
        }),
      );
      body.replaceChildren(...rows.map(({row}) => row));
      mark(shown);
    },
    draw(index, {selectedLoss, testAccuracy}) {
      const [step, accuracy, best, loss] = rows[index]?.cells ?? [];
      if (!step || !accuracy || !best || !loss) return;
      step.textContent = String(selectedLoss.length);
      accuracy.textContent = percent(testAccuracy.at(-1)?.accuracy ?? Number.NaN);
      const highest = bestAccuracy(testAccuracy);
      best.textContent = percent(highest?.accuracy ?? Number.NaN);
      if (highest) best.append(' ', made('small', `step ${highest.step}`));
      loss.textContent = selectedLoss.at(-1)?.toFixed(3) ?? '–';
    },
  };
}

function rowOf(runs: Run[], index: number, isShown: boolean, onChoose: () => void) {
  const row = made('tr');
  const heading = made('th');
  heading.scope = 'row';
  const label = made('label', '', 'pick');
  const choice = made('input', '', 'tick');
  choice.type = 'radio';
  choice.name = 'shown';
  choice.checked = isShown;
  choice.addEventListener('change', onChoose);
  label.append(choice, lineSample(runs, index), made('span', runs[index]?.name));
  heading.append(label);
  const cells = [made('td', '0'), made('td', '–'), made('td', '–'), made('td', '–')];
  row.append(heading, ...cells);
  return {row, cells};
}
