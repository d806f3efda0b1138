import {describe, expect, it} from 'vitest';
import type {Results, RunResult} from '../../../../examples/mnist/experiment/results';
import {formatTable, summarise} from '../../../../examples/mnist/report/summaryTable';
import {exampleResults} from './exampleResults';

function resultsOf(...runs: Partial<RunResult>[]): Results {
  const example = exampleResults({steps: 1, runs: ['512/384']});
  return {...example, runs: runs.map((run) => ({...(example.runs[0] as RunResult), ...run}))};
}

describe('summarise', () => {
  it('takes the last and the best test accuracy', () => {
    const testAccuracy = [0.5, 0.9, 0.8].map((accuracy, index) => ({step: index + 1, accuracy}));
    expect(summarise(resultsOf({testAccuracy}))[0]).toMatchObject({finalAccuracy: 0.8, bestAccuracy: 0.9});
  });

  it('averages the selected loss over the last tenth of the steps', () => {
    const selectedLoss = [...new Array<number>(18).fill(7), 0.25, 0.75];
    expect(summarise(resultsOf({selectedLoss}))[0]?.selectedLoss).toBe(0.5);
  });

  it('takes the last step alone where a tenth is less than one', () => {
    expect(summarise(resultsOf({selectedLoss: [7, 7, 0.25]}))[0]?.selectedLoss).toBe(0.25);
  });

  it('leaves losses out that are not finite', () => {
    const selectedLoss = [...new Array<number>(18).fill(7), Number.NaN, 0.75];
    expect(summarise(resultsOf({selectedLoss}))[0]?.selectedLoss).toBe(0.75);
  });

  it('gives the share of the backward work as k / n', () => {
    expect(summarise(resultsOf({n: 1024, k: 128}))[0]?.backwardShare).toBe(0.125);
  });

  it('has no numbers for a run that has not measured anything', () => {
    const [row] = summarise(resultsOf({testAccuracy: [], steps: [], selectedLoss: []}));
    expect(row).toMatchObject({
      finalAccuracy: Number.NaN,
      bestAccuracy: Number.NaN,
      selectedLoss: Number.NaN,
    });
  });
});

describe('formatTable', () => {
  it('aligns names to the left and numbers with their units to the right', () => {
    const table = formatTable([
      {
        name: '512/384 random',
        n: 512,
        k: 384,
        finalAccuracy: 0.8712,
        bestAccuracy: 0.9,
        selectedLoss: 0.1234,
        msPerStep: 84.06,
        backwardShare: 0.75,
      },
      {
        name: '1024/128',
        n: 1024,
        k: 128,
        finalAccuracy: Number.NaN,
        bestAccuracy: Number.NaN,
        selectedLoss: Number.NaN,
        msPerStep: 131.2,
        backwardShare: 0.125,
      },
    ]);
    expect(`\n${table}\n`).toBe(`
                           final test      best    selected  time per  backward
run                n    k    accuracy  accuracy  loss (end)      step  work k/n
───────────────────────────────────────────────────────────────────────────────
512/384 random   512  384      87.1 %    90.0 %       0.123   84.1 ms      75 %
1024/128        1024  128           –         –           –  131.2 ms    12.5 %
`);
  });

  it('is a heading and a rule where there are no runs', () => {
    expect(formatTable([]).split('\n')).toHaveLength(3);
  });
});
