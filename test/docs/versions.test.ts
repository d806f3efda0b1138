/** @file The addresses of a CDN name the version that the package has. */
import {expect, it} from 'vitest';
import {readSource} from '../support/sources';
import {trackedFiles} from '../support/trackedFiles';

const {version} = JSON.parse(readSource('package.json').text) as {version: string};
const pinned = trackedFiles('*.md', '*.html', '*.js', '*.ts', ':!CHANGELOG.md', ':!test').flatMap(({path, text}) =>
  [...text.matchAll(/\bohem-tfjs@(\d[\w.-]*)/g)].map(([, named]) => ({path, named})),
);

it('Documents and examples load this version of the library', () => {
  expect(pinned.map(({path}) => path)).toEqual(expect.arrayContaining(['README.md', 'examples/script-tag/index.html']));
  expect(pinned.filter(({named}) => named !== version)).toEqual([]);
});
