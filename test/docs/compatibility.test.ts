import {expect, it} from 'vitest';
import manifest from '../../package.json' with {type: 'json'};
import {readSource} from '../support/sources';

const {text} = readSource('docs/compatibility.md');
const cells = [...text.matchAll(/^\| (?!---)([^|]+) \|(.*)\|$/gm)].map(([, name, rest]) => ({
  name: name as string,
  results: (rest as string).split('|').map((cell) => cell.trim()),
}));

it('The table of versions begins with the oldest version of the peer range', () => {
  const range = manifest.peerDependencies['@tensorflow/tfjs-core'];
  expect(manifest.peerDependencies['@tensorflow/tfjs-layers']).toBe(range);
  const [, oldest] = cells;
  expect(`^${oldest?.name}`).toBe(range);
  expect(text).toContain(`peer range is \`${range}\`.`);
});

it('The latest run of the matrix failed in no cell', () => {
  const results = cells.filter(({name}) => !/^(version|runtime)$/.test(name)).flatMap((row) => row.results);
  expect(results.length).toBeGreaterThan(30);
  for (const result of results) expect(['passed', 'not offered', 'not tried']).toContain(result);
  expect(results.filter((result) => result === 'passed').length).toBeGreaterThan(results.length / 2);
});
