import type {DataSource, Results} from '../experiment/results';
import type {Drawings} from './drawings';
import {drawnWarning} from './drawnWarning';
import {escapeMarkup} from './escapeMarkup';
import {PAGE_STYLE} from './pageStyle';
import {reproduceCommand} from './reproduceCommand';
import {runStyles} from './runStyle';
import {SUMMARY_COLUMNS, summarise} from './summaryTable';

export interface ReportFigures {
  accuracyAndLoss: Drawings;
  lossHistograms: Drawings;
}

/**
 * The report as one page that needs nothing else: it asks for no file and no font, and runs no
 * script.
 *
 * Every text that comes from the results is escaped, since they may have come from a file of
 * somebody else.
 */
export function reportHtml(results: Results, figures: ReportFigures): string {
  const warning = drawnWarning(results.data.source);
  const title = `Online hard example mining on ${DIGITS[results.data.source]}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
${warning.length > 0 ? `<p class="warning" role="note">${warning.join(' ')}</p>` : ''}
<h1>${title}</h1>
<p>A run named <code>n/k</code> puts a batch of n digits forward through the network and backpropagates only the k of them with
the largest loss. A run named <code>random</code> backpropagates as many, picked by chance: whatever mining is worth shows
against that one.</p>
<section aria-labelledby="settings">
<h2 id="settings">What was run</h2>
${settingsList(results)}
</section>
<section aria-labelledby="outcome">
<h2 id="outcome">What came out</h2>
${summaryHtml(results)}
</section>
${figureHtml('figure-1', 'Figure 1', figures.accuracyAndLoss, ACCURACY_CAPTION)}
${figureHtml('figure-2', 'Figure 2', figures.lossHistograms, HISTOGRAM_CAPTION)}
<section aria-labelledby="again">
<h2 id="again">Run it again</h2>
<pre><code>${escapeMarkup(reproduceCommand(results))}</code></pre>
<p>${versions(results)}</p>
</section>
</main>
</body>
</html>
`;
}

/** What the title calls the digits; files of somebody's own folder need not be MNIST's. */
const DIGITS: Record<DataSource, string> = {
  cache: 'MNIST',
  download: 'MNIST',
  folder: 'digits from a folder',
  files: 'digits from files',
  drawn: 'drawn digits',
};

const ACCURACY_CAPTION = [
  'Above: the share of the test digits that the network classifies rightly. Higher is better, and further to the left is sooner.',
  'Below: the mean loss of the rows that were backpropagated. A run that mines hard examples averages over its hardest rows only, so its line lies higher without learning any worse. Compare runs by their accuracy.',
];

const HISTOGRAM_CAPTION = [
  'Every column of cells is one histogram: how the losses of a batch spread at that step, from 0 (right, and sure of it) to 1 (wrong, and sure of it). The further a colour is along the scale, the more of the rows lie there; an empty cell has none.',
  'On the left all n rows, on the right the k that were backpropagated; where k equals n the two are the same. As the network learns, most rows sink to the bottom on the left, and mining leaves them out on the right.',
];

function settingsList({settings, data, runs}: Results): string {
  const {steps, learningRate, seed, backend} = settings;
  const entries: [string, string][] = [
    ['Network', '784 inputs → 1024 sigmoid → 10 softmax'],
    ['Loss', '½ Σ (p − y)² for each digit; gradient descent on the sum over the k backpropagated ones'],
    ['Runs', runs.map(({name}) => name).join(', ')],
    ['Steps', count(steps)],
    ['Learning rate', String(learningRate)],
    ['Seed', String(seed)],
    ['Backend', backend],
    ['Digits', data.description],
    ['Of these', `${count(data.trainCount)} to train on, ${count(data.testCount)} to test`],
  ];
  return `<dl>\n${entries.map(([term, value]) => `<dt>${term}</dt><dd>${escapeMarkup(value)}</dd>`).join('\n')}\n</dl>`;
}

function summaryHtml(results: Results): string {
  const light = runStyles(results.runs, 'light');
  const dark = runStyles(results.runs, 'dark');
  const heading = SUMMARY_COLUMNS.map(
    ({heading: lines, isInName}) =>
      `<th scope="col"${said(isInName)}>${lines.filter((line) => line !== '').join('<br>')}</th>`,
  );
  const rows = summarise(results).map((row, index) => {
    const sample = `<svg class="sample" width="28" height="8" aria-hidden="true" style="--light: ${light[index]?.color}; --dark: ${dark[index]?.color}"><line x1="0" y1="4" x2="28" y2="4" stroke-width="2.5" stroke-dasharray="${light[index]?.dash.join(' ')}"/></svg>`;
    const cells = SUMMARY_COLUMNS.map(({cell, isInName}, column) => {
      const text = escapeMarkup(cell(row));
      return column === 0
        ? `<th scope="row"><div class="run">${sample}<span>${text}</span></div></th>`
        : `<td${said(isInName)}>${text}</td>`;
    });
    return `<tr>${cells.join('')}</tr>`;
  });
  return `<div class="scroll" role="region" aria-label="Summary of the runs" tabindex="0">
<table aria-describedby="columns">
<thead><tr>${heading.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
</div>
<p class="note" id="columns">Selected loss: mean of the backpropagated rows over the last tenth of the steps. Backward work: share of the rows
run forward that were also run backward.</p>`;
}

/** The class of what the name of a run says too. */
const said = (isInName: true | undefined) => (isInName ? ' class="said"' : '');

function figureHtml(id: string, title: string, {wide, narrow}: Drawings, caption: string[]): string {
  const drawing = (width: string, {light, dark}: Drawings['wide']) =>
    `<div class="${width}"><div class="light">${ownIds(light, `${id}-${width}-light`)}</div><div class="dark">${ownIds(dark, `${id}-${width}-dark`)}</div></div>`;
  return `<figure id="${id}">
<h2>${title}</h2>
${drawing('wide', wide)}
${drawing('narrow', narrow)}
<figcaption>
${caption.map((paragraph) => `<p>${paragraph}</p>`).join('\n')}
</figcaption>
</figure>`;
}

/**
 * On one page the drawings share their ids, and one would be painted with the gradient of another.
 */
function ownIds(svg: string, prefix: string): string {
  return svg.replace(/<[^>]*>/g, (tag) => tag.replace(/( id="|="url\(#)/g, `$1${prefix}-`));
}

function versions({versions: {ohem, tfjs, node}}: Results): string {
  return `Made with ohem-tfjs ${escapeMarkup(ohem)}, TensorFlow.js ${escapeMarkup(tfjs)} and Node.js ${escapeMarkup(node)}.`;
}

const count = (value: number) => value.toLocaleString('en-US');
