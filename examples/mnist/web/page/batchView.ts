import type {Run} from '../../experiment/results';
import {runStyles} from '../../report/runStyle';
import {themeColors} from '../../report/theme';
import type {BatchPicture, View} from '../protocol';
import {batchPainting, columnsFor} from './batchPainting';
import {element} from './element';
import {darkPage, themeNow} from './pageTheme';

/** The picture of the mechanism: the digits of a batch, those lit that were backpropagated. */
export interface BatchView {
  /** Shows the grid of a batch that is still to come. */
  clear(runs: Run[], shown: number): void;
  draw(view: View, runs: Run[]): void;
}

const count = (number: number) => number.toLocaleString('en-US');

export function batchView(): BatchView {
  const canvas = element('batch', HTMLCanvasElement);
  const [n, k] = [element('batch-n', HTMLElement), element('batch-k', HTMLElement)];
  const note = element('batch-note', HTMLElement);
  let paint = () => {};
  darkPage.addEventListener('change', () => paint());

  const show = (picture: BatchPicture, runs: Run[], index: number) => {
    paint = () => {
      const theme = themeNow();
      const {page, ink} = themeColors[theme];
      const run = runStyles(runs, theme)[index]?.color ?? ink;
      const {width, height, pixels} = batchPainting(picture, {page, ink, run});
      // Setting a size clears the canvas, so it is set only when it changes.
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      canvas.getContext('2d', {willReadFrequently: true})?.putImageData(new ImageData(pixels, width, height), 0, 0);
    };
    paint();
  };
  const describe = (run: Run) => {
    n.textContent = count(run.n);
    k.textContent = count(run.k);
    note.textContent = inWords(run);
  };
  return {
    clear(runs, shown) {
      const run = runs[shown];
      if (run) describe(run);
      show(emptyPicture(run), runs, shown);
      canvas.setAttribute('aria-label', 'The digits of a batch: nothing yet');
    },
    draw({picture, step, run: index}, runs) {
      const run = runs[index];
      if (!run) return;
      describe(run);
      show(picture, runs, index);
      canvas.setAttribute('aria-label', `The ${count(run.n)} digits of step ${step}, ${count(run.k)} of them lit`);
    },
  };
}

/** As many blank digits as the batch will have, so that nothing moves when they arrive. */
function emptyPicture(run: Run | undefined): BatchPicture {
  const rows = Math.min(run?.n ?? 64, 1024);
  const side = rows > 256 ? 14 : 28;
  return {count: rows, side, pixels: new Uint8Array(rows * side * side).fill(24), kept: new Uint8Array(rows)};
}

function inWords({n, k, rule}: Run): string {
  const pictured = n > 1024 ? ` The first 1,024 are pictured, in rows of ${columnsFor(1024)}.` : '';
  if (k === n) return `All are lit: this run does not mine, and learns from each.${pictured}`;
  const which = rule === 'random' ? `any ${count(k)}, picked by chance` : `the ${count(k)} with the largest loss`;
  return `Lit: ${which}. The network learns from these only.${pictured}`;
}
