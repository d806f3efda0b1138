import type {Results} from '../experiment/results';
import {writeFiles} from '../node/writeFiles';
import {drawings} from './drawings';
import {accuracyAndLossFigure, lossHistogramFigure} from './figures';
import {reportHtml} from './html';
import {renderPng} from './render';
import {REPORT_FILES} from './reportFiles';

/**
 * Writes all that there is to show: the numbers, both figures as SVG and as PNG of twice the size,
 * and the page with everything.
 *
 * @returns the paths of the files, in the order they were written.
 */
export async function writeReport(results: Results, folder: string): Promise<string[]> {
  const accuracyAndLoss = await drawings(accuracyAndLossFigure, results);
  const lossHistograms = await drawings(lossHistogramFigure, results);
  const contents: Record<(typeof REPORT_FILES)[number], string | Uint8Array> = {
    'results.json': `${JSON.stringify(results)}\n`,
    'figure-1.svg': accuracyAndLoss.wide.light,
    'figure-1.png': renderPng(accuracyAndLoss.wide.light, {scale: 2}),
    'figure-2.svg': lossHistograms.wide.light,
    'figure-2.png': renderPng(lossHistograms.wide.light, {scale: 2}),
    'report.html': reportHtml(results, {accuracyAndLoss, lossHistograms}),
  };
  return writeFiles(
    folder,
    REPORT_FILES.map((name) => [name, contents[name]] as const),
  );
}
