/** @file The document of backends cites the times that were measured in a browser. */
import {writeFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {ROOT, readSource} from '../support/sources';

interface BackendTimings {
  backend: string;
  timings: {name: string; ms: number}[];
}

const BEGIN = '<!-- speed: begin -->';
const END = '<!-- speed: end -->';
const PATH = 'docs/backends.md';
const RESULTS = 'bench-web.json';

it('docs/backends.md has the times of docs/results/bench-web.json: UPDATE_TABLE=1 writes them', () => {
  const {backends, browser} = JSON.parse(readSource(`docs/results/${RESULTS}`).text) as {
    backends: BackendTimings[];
    browser: string;
  };
  const names = backends[0]?.timings.map(({name}) => name) ?? [];
  const rows = backends.map(({backend, timings}) => {
    const plain = timings[0]?.ms as number;
    const cells = timings.map(({ms}, i) => (i === 0 ? ms.toFixed(0) : `${ms.toFixed(0)} (${(ms / plain).toFixed(2)})`));
    return [`\`${backend}\``, ...cells];
  });
  const head = ['backend', ...names.map((name) => (name === 'plain' ? 'plain step' : `\`${name}\``))];
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const table = [...lines, '', `${browser.replace(/\..*/, '')}, [raw figures](results/${RESULTS}).`].join('\n');

  const {text} = readSource(PATH);
  const [before, after] = [text.split(BEGIN)[0], text.split(END)[1]];
  const expected = `${before}${BEGIN}\n${table}\n${END}${after}`;
  if (process.env.UPDATE_TABLE) writeFileSync(`${ROOT}${PATH}`, expected);
  else expect(text, `${PATH} is out of date: run with UPDATE_TABLE=1`).toBe(expected);
  expect(rows.length).toBeGreaterThan(1);
});
