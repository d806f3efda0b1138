import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {writeReport} from '../../../../examples/mnist/report/writeReport';
import {exampleResults} from './exampleResults';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-'));
});
afterEach(() => rm(folder, {recursive: true}));

const FILES = ['results.json', 'figure-1.svg', 'figure-1.png', 'figure-2.svg', 'figure-2.png', 'report.html'];

it('writes the numbers, both figures twice and the page, and says where', async () => {
  const paths = await writeReport(exampleResults({steps: 30, runs: ['512/512', '1024/128']}), folder);
  expect(paths).toEqual(FILES.map((file) => join(folder, file)));
  expect((await readdir(folder)).sort()).toEqual([...FILES].sort());
});

it('writes numbers that can be read back and drawn again', async () => {
  const results = exampleResults({steps: 30, runs: ['512/512', '1024/128']});
  await writeReport(results, folder);
  const read = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
  expect(read).toEqual(results);
  const page = await readFile(join(folder, 'report.html'), 'utf8');
  await writeReport(read, folder);
  expect(await readFile(join(folder, 'report.html'), 'utf8')).toBe(page);
});

it('draws results with NaN, which JSON turns into null, the same after reading them back', async () => {
  const results = exampleResults({steps: 30, runs: ['512/384']});
  results.runs[0]?.selectedLoss.fill(Number.NaN, 10, 20);
  await writeReport(results, folder);
  const figure = await readFile(join(folder, 'figure-1.svg'), 'utf8');
  await writeReport(JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')), folder);
  expect(await readFile(join(folder, 'figure-1.svg'), 'utf8')).toBe(figure);
});

it('draws the PNGs twice as large as the SVGs', async () => {
  await writeReport(exampleResults({steps: 30, runs: ['512/512', '1024/128']}), folder);
  for (const figure of ['figure-1', 'figure-2']) {
    const svg = await readFile(join(folder, `${figure}.svg`), 'utf8');
    const png = await readFile(join(folder, `${figure}.png`));
    const [, width, height] = (/ width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? []).map(Number);
    expect(Math.abs(png.readUInt32BE(16) - 2 * (width ?? 0))).toBeLessThanOrEqual(1);
    expect(Math.abs(png.readUInt32BE(20) - 2 * (height ?? 0))).toBeLessThanOrEqual(1);
  }
});
