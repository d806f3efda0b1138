/** @file The document of the losses has an entry for each, in the order in which they are exported. */
import * as losses from 'ohem-tfjs/losses';
import {expect, it} from 'vitest';
import {exportedNames, readSource} from '../support/sources';

it('docs/losses.md has an entry with code for every loss, in the order of src/index.ts', () => {
  const entries = readSource('docs/losses.md').text.split(/^## /m).slice(1);
  const exported = exportedNames(readSource('src/index.ts')).filter((name) => name in losses);
  expect(entries.map((entry) => entry.slice(0, entry.indexOf('\n')))).toEqual(exported);
  for (const entry of entries) expect(entry).toContain('```ts\n');
});
