/** @file The document of memory cites the peaks that were measured. */
import {writeFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {ROOT, readSource} from '../support/sources';

interface Subject {
  name: string;
  peakMiB: Record<string, number>;
}

const BEGIN = '<!-- peaks: begin -->';
const END = '<!-- peaks: end -->';
const PATH = 'docs/memory.md';

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
      return `| ${network} | ${pair} | ${pruned} | ${recompute} |`;
    });
  });
  const table = ['| network | n/k | `pruned` | `recompute` |', '| --- | --- | --- | --- |', ...rows].join('\n');

  const {text} = readSource(PATH);
  const [before, after] = [text.split(BEGIN)[0], text.split(END)[1]];
  const expected = `${before}${BEGIN}\n${table}\n${END}${after}`;
  if (process.env.UPDATE_TABLE) writeFileSync(`${ROOT}${PATH}`, expected);
  else expect(text, `${PATH} is out of date: run with UPDATE_TABLE=1`).toBe(expected);
  expect(rows.length).toBeGreaterThan(10);
});
