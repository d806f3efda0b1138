import {compile, type TopLevelSpec} from 'vega-lite';
import {describe, expect, it} from 'vitest';
import type {Results} from '../../../../examples/mnist/experiment/results';
import {
  accuracyAndLossFigure,
  type FigureOptions,
  lossHistogramFigure,
} from '../../../../examples/mnist/report/figures';
import {renderSvg} from '../../../../examples/mnist/report/render';
import {exampleResults} from './exampleResults';

const figures: [name: string, figure: (results: Results, options?: FigureOptions) => TopLevelSpec][] = [
  ['accuracyAndLossFigure', accuracyAndLossFigure],
  ['lossHistogramFigure', lossHistogramFigure],
];

/** What Vega-Lite has to say against a figure. */
function complaints(spec: TopLevelSpec): unknown[] {
  const heard: unknown[] = [];
  const hear = (...reasons: unknown[]) => {
    heard.push(...reasons);
    return logger;
  };
  const logger = {level: () => logger, error: hear, warn: hear, info: () => logger, debug: () => logger} as never;
  compile(spec, {logger});
  return heard;
}

const example = exampleResults({steps: 200, snapshots: 20});
const RANDOM_RUN = 4;

const cases: [name: string, results: Results][] = [
  ['the reference experiment', example],
  ['digits drawn by the example', exampleResults({source: 'drawn', steps: 50, snapshots: 10})],
  ['one run', exampleResults({steps: 50, runs: ['512/384']})],
  ['one step', exampleResults({steps: 1})],
  ['no run', exampleResults({runs: []})],
  ['runs of different lengths', {...example, runs: [...example.runs, ...exampleResults({steps: 90}).runs]}],
  [
    'nine runs of other names',
    exampleResults({
      steps: 50,
      snapshots: 10,
      runs: Array.from({length: 9}, (_, index) => `a <run> & more "${index}" ${'long '.repeat(index)}`),
    }),
  ],
  ['nothing measured yet', {...example, runs: example.runs.map((run) => ({...run, testAccuracy: [], histograms: []}))}],
  ['losses of which none is finite', withLoss(() => Number.NaN)],
  [
    'losses with gaps',
    withLoss((step) => (step % 7 === 0 ? Number.NaN : step % 11 === 0 ? Number.POSITIVE_INFINITY : 0.5)),
  ],
  ['losses of zero', withLoss(() => 0)],
];

function withLoss(loss: (step: number) => number): Results {
  return {...example, runs: example.runs.map((run) => ({...run, selectedLoss: run.steps.map(loss)}))};
}

describe.each(figures)('%s', (_, figure) => {
  it.each(cases)('is understood without a warning, and drawn: %s', async (_case, results) => {
    for (const options of [{}, {theme: 'dark', width: 340}] as const) {
      const spec = figure(results, options);
      expect(complaints(spec)).toEqual([]);
      const svg = await renderSvg(spec);
      expect(svg).toMatch(/^<svg .*<\/svg>$/s);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('names every run', async () => {
    const svg = await renderSvg(figure(example));
    for (const {name} of example.runs) {
      expect(svg).toContain(`>${name}`);
    }
  });

  it('says inside the figure that digits were drawn, and only then', async () => {
    const drawn = exampleResults({source: 'drawn', steps: 20});
    expect(await renderSvg(figure(drawn))).toContain('>These digits were drawn by the example: not MNIST.<');
    expect(await renderSvg(figure(example))).not.toContain('MNIST');
  });

  it('has a background of its own in both themes, so that it can be read on any page', async () => {
    expect(await renderSvg(figure(example, {theme: 'light'}))).toMatch(/<rect [^>]*fill="#ffffff"/);
    expect(await renderSvg(figure(example, {theme: 'dark'}))).toMatch(/<rect [^>]*fill="#15181c"/);
  });

  it.each([720, 340])('is about as wide as asked for: %d pixels', async (width) => {
    const svg = await renderSvg(figure(example, {width}));
    const drawn = Number(/<svg [^>]*width="(\d+)/.exec(svg)?.[1]);
    expect(Math.abs(drawn - width)).toBeLessThan(20);
  });
});

describe('accuracyAndLossFigure', () => {
  it('draws 30,000 steps with no more than 600 points a line', () => {
    const spec = accuracyAndLossFigure(exampleResults({steps: 30_000, snapshots: 300, runs: ['512/512', '1024/128']}));
    const counts = valuesOf(spec).map(({length}) => length);
    expect(Math.max(...counts)).toBeLessThanOrEqual(600);
    expect(Math.max(...counts)).toBeGreaterThan(300);
  });

  it('writes the last accuracy beside the name where there is room for it', async () => {
    const results = {...example, runs: example.runs.slice(0, 1)};
    const last = results.runs[0]?.testAccuracy.at(-1)?.accuracy ?? 0;
    const label = `>512/512 · ${(100 * last).toFixed(1)} %<`;
    expect(await renderSvg(accuracyAndLossFigure(results))).toContain(label);
    expect(await renderSvg(accuracyAndLossFigure(results, {width: 340}))).not.toContain(label);
  });

  it('says over how many steps the loss is smoothed', async () => {
    expect(await renderSvg(accuracyAndLossFigure(example))).toContain('moving median of 7 steps');
  });

  it('says that no accuracy was measured yet', async () => {
    const runs = example.runs.map((run) => ({...run, testAccuracy: []}));
    expect(await renderSvg(accuracyAndLossFigure({...example, runs}))).toContain('>not measured yet<');
  });

  it('names a run without accuracy at its loss alone', async () => {
    const runs = example.runs.map((run, index) => (index === RANDOM_RUN ? {...run, testAccuracy: []} : run));
    const svg = await renderSvg(accuracyAndLossFigure({...example, runs}));
    expect(svg.split('>512/384 random').length - 1).toBe(1);
  });
});

describe('lossHistogramFigure', () => {
  it('draws many snapshots in few slots', () => {
    const spec = lossHistogramFigure(exampleResults({steps: 3000, snapshots: 1000, runs: ['512/384']}));
    for (const cells of valuesOf(spec)) {
      expect(new Set(cells.map(({to}) => to)).size).toBeLessThanOrEqual(61);
    }
  });

  it('puts the whole batch beside the backpropagated rows', async () => {
    const svg = await renderSvg(lossHistogramFigure(exampleResults({steps: 9, runs: ['1024/128']})));
    expect(svg).toContain('>1024/128 · whole batch (1024)<');
    expect(svg).toContain('>backpropagated (128)<');
  });

  it('says that there are no histograms', async () => {
    const runs = example.runs.map((run) => ({...run, histograms: []}));
    expect(await renderSvg(lossHistogramFigure({...example, runs}))).toContain('>No histograms were recorded.<');
  });
});

/** All inline data of a figure. */
function valuesOf(spec: unknown): Record<string, unknown>[][] {
  if (typeof spec !== 'object' || spec === null) {
    return [];
  }
  const own = 'values' in spec && Array.isArray(spec.values) && typeof spec.values[0] === 'object' ? [spec.values] : [];
  return [...own, ...Object.values(spec).flatMap(valuesOf)];
}
