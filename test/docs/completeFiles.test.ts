/** @file The complete files of the README are those of the examples, which run. */
import {expect, it} from 'vitest';
import {completeFiles} from '../support/completeFiles';
import {readSource} from '../support/sources';

it('The README has a complete file for Node, for a bundler and for a script tag', () => {
  expect(completeFiles().map(({name}) => name)).toEqual(['index.mjs', 'main.ts', 'index.html']);
});

it.each([
  ['index.mjs', 'examples/minimal/index.js'],
  ['index.html', 'examples/script-tag/index.html'],
])('Its %s is %s', (name, path) => {
  expect(completeFiles().find((file) => file.name === name)?.text).toBe(readSource(path).text);
});

it('Its install line for Node names the packages of the example', () => {
  const {dependencies} = JSON.parse(readSource('examples/minimal/package.json').text);
  const [node] = completeFiles();
  expect(node?.packages.sort()).toEqual(Object.keys(dependencies).sort());
});
