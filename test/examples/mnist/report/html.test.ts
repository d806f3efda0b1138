import {beforeAll, describe, expect, it} from 'vitest';
import type {Results} from '../../../../examples/mnist/experiment/results';
import {drawings} from '../../../../examples/mnist/report/drawings';
import {accuracyAndLossFigure, lossHistogramFigure} from '../../../../examples/mnist/report/figures';
import {reportHtml} from '../../../../examples/mnist/report/html';
import {exampleResults} from './exampleResults';

async function pageOf(results: Results): Promise<string> {
  return reportHtml(results, {
    accuracyAndLoss: await drawings(accuracyAndLossFigure, results),
    lossHistograms: await drawings(lossHistogramFigure, results),
  });
}

const EVIL = '<script>alert("1 & 2")</script>';
const WARNING = 'These digits were drawn by the example: not MNIST. No figure here says anything about MNIST.';

describe('reportHtml', () => {
  let page: string;
  beforeAll(async () => {
    page = await pageOf(exampleResults({steps: 60}));
  });

  it('asks for nothing from anywhere', () => {
    const addresses = page.replace(/ xmlns(:xlink)?="[^"]*"/g, '');
    expect(addresses).not.toMatch(/https?:|\/\/[a-z]/i);
    expect(addresses).not.toMatch(/<(script|img|iframe|object|embed|image|use)\b|@import|@font-face/i);
    expect(addresses.match(/\b(src|href)="[^"]*"/g)).toEqual(['href="data:,"']);
    expect(addresses.match(/url\((?!#)/g)).toBeNull();
  });

  it('forbids itself to ask for anything', () => {
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`);
  });

  it('gives every id once, and refers to none that is missing', () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const used = [...page.matchAll(/url\(#([^)]*)\)|aria-(?:labelledby|describedby)="([^"]*)"/g)];
    expect(used.length).toBeGreaterThan(0);
    for (const [, painted, described] of used) {
      expect(ids).toContain(painted ?? described);
    }
  });

  it('holds both figures for wide and for narrow, light and dark pages, and says what they show', () => {
    expect(page.match(/<figure /g)).toHaveLength(2);
    expect(page.match(/<figcaption>/g)).toHaveLength(2);
    expect(page.match(/<svg role="img" aria-label="(Line charts|Heat maps)[^"]+"/g)).toHaveLength(8);
    expect(page).toContain('(prefers-color-scheme: dark)');
  });

  it('shows a row for each run, with a heading for each column', () => {
    expect(page.match(/<th scope="row">/g)).toHaveLength(5);
    expect(page.match(/<th scope="col"/g)).toHaveLength(8);
    expect(page).toContain('<span>512/384 random</span>');
  });

  it('says what was run, with which versions, and how to run it again', () => {
    expect(page).toContain('<dt>Learning rate</dt><dd>0.0003</dd>');
    expect(page).toContain('<dd>60,000 to train on, 10,000 to test</dd>');
    expect(page).toContain('ohem-tfjs 1.0.0-rc.0, TensorFlow.js 4.22.0 and Node.js 20.20.2');
    expect(page).toContain('npm run mnist -- --steps 60 --lr 0.0003 --seed 1');
  });

  it('warns of drawn digits, and only of these', async () => {
    const drawn = await pageOf(exampleResults({steps: 2, source: 'drawn', runs: ['512/512']}));
    expect(drawn).toContain(`<p class="warning" role="note">${WARNING}</p>`);
    expect(drawn).toContain('<h1>Online hard example mining on drawn digits</h1>');
    expect(page).not.toContain('class="warning"');
    expect(page).not.toContain('not MNIST');
  });

  it('does not call digits MNIST that came from a folder of somebody', async () => {
    const own = await pageOf(exampleResults({steps: 2, source: 'folder', runs: ['512/512']}));
    expect(own).toContain('<h1>Online hard example mining on digits from a folder</h1>');
    expect(own).not.toContain('class="warning"');
  });

  it('escapes whatever text the results hold', async () => {
    const results = exampleResults({steps: 2, runs: [EVIL]});
    results.data.description = EVIL;
    results.versions = {ohem: EVIL, tfjs: EVIL, node: EVIL};
    (results.settings as {backend: string}).backend = EVIL;
    const evil = await pageOf(results);
    expect(evil).not.toMatch(/<\/?script/i);
    expect(evil).toContain('<dd>&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt;</dd>');
  });
});
