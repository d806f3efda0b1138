/** @file The document of memory cites the peaks that were measured. */
import {expect, it} from 'vitest';
import {expectMarkedTable} from '../support/markedTable';
import {markdownTable} from '../support/resultTables';
import {readSource} from '../support/sources';

interface Subject {
  name: string;
  peakMiB: Record<string, number>;
}

const signed = (difference: number) => {
  const rounded = Math.round(difference);
  return rounded < 0 ? `−${-rounded}` : rounded > 0 ? `+${rounded}` : '0';
};

it('docs/memory.md has the peaks of docs/results/bench.json: UPDATE_TABLE=1 writes them', () => {
  const {subjects} = JSON.parse(readSource('docs/results/bench.json').text) as {subjects: Subject[]};
  const rows = subjects.flatMap(({name, peakMiB}) => {
    const pairs = Object.keys(peakMiB).flatMap((run) => /^(.*) masked$/.exec(run)?.[1] ?? []);
    const network = name.replace(/:.*/, '');
    return pairs.map((pair) => {
      const peak = (backward: string) => peakMiB[`${pair} ${backward}`] as number;
      const [pruned, recompute] = ['pruned', 'recompute'].map((backward) => signed(peak(backward) - peak('masked')));
      return [network, pair, `${pruned}`, `${recompute}`];
    });
  });
  const table = markdownTable([['network', 'n/k', '`pruned`', '`recompute`'], ...rows]);
  expectMarkedTable({document: 'docs/memory.md', name: 'peaks', table});
  expect(rows.length).toBeGreaterThan(10);
});
