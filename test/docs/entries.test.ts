/** @file The documents of losses, selectors, samplers and schedules have an entry for each. */
import * as losses from 'ohem-tfjs/losses';
import * as pairs from 'ohem-tfjs/pairs';
import * as samplers from 'ohem-tfjs/samplers';
import * as schedules from 'ohem-tfjs/schedules';
import * as selectors from 'ohem-tfjs/selectors';
import {describe, expect, it} from 'vitest';
import {readSource} from '../support/sources';

interface Entry {
  name: string;
  text: string;
}

/** The sections under a heading that is a name. */
function entriesIn(path: string): Entry[] {
  const sections = readSource(path).text.split(/^## /m).slice(1);
  const entries = sections.map((text) => ({name: text.slice(0, text.indexOf('\n')), text}));
  return entries.filter(({name}) => /^\w+$/.test(name));
}

const namesIn = (path: string) => entriesIn(path).map(({name}) => name);

describe.each([
  ['docs/losses.md', losses],
  ['docs/pairs.md', pairs],
  ['docs/samplers.md', samplers],
  ['docs/schedules.md', schedules],
  ['docs/selectors.md', selectors],
])('%s', (path, part) => {
  it('has an entry for everything that is exported, and no other', () => {
    expect(namesIn(path).sort()).toEqual(Object.keys(part).sort());
  });

  it.each(entriesIn(path))('gives the formula of $name, and code', ({text}) => {
    expect(text).toMatch(/^ {4}\S/m);
    expect(text).toContain('```ts\n');
  });
});

it('The entries of docs/losses.md are in the order of the alphabet', () => {
  const names = namesIn('docs/losses.md');
  expect(names).toEqual([...names].sort());
});
