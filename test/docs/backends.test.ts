/** @file The document of backends cites the times that were measured in a browser. */
import {expect, it} from 'vitest';
import type {BackendTimings} from '../../bench/web/main';
import {expectMarkedTable} from '../support/markedTable';
import {markdownTable} from '../support/resultTables';
import {readSource} from '../support/sources';

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
  const source = `${browser.replace(/\..*/, '')}, [raw figures](results/${RESULTS}).`;
  expectMarkedTable({
    document: 'docs/backends.md',
    name: 'speed',
    table: `${markdownTable([head, ...rows])}\n\n${source}`,
  });
  expect(rows.length).toBeGreaterThan(1);
});
