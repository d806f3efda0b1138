/** @file The code of the documents that is tagged as TypeScript compiles under `strict`. */
import {beforeAll, describe, expect, it} from 'vitest';
import {typeErrors} from '../support/docTypes';
import {readSource, type SourceText, sourcesIn} from '../support/sources';

const documents = [readSource('README.md'), ...sourcesIn('docs', '.md')];

const written = (path: string, ...blocks: string[]): SourceText => ({path, text: blocks.join('\n')});
const block = (language: string, ...lines: string[]) => ['```'.concat(language), ...lines, '```'].join('\n');

/** What is compiled beside the documents, to see that errors are found. */
const SPECIMENS = [
  written('docs/any.md', block('ts', 'const half = (x) => x / 2;', 'half(3);')),
  written(
    'docs/misspelt.md',
    block('ts', "import * as tf from '@tensorflow/tfjs';", "import {ohemStep} from 'ohem-tfjs';"),
    block('ts', "ohemStep(tf.sequential(), {loss: 'mse'});"),
  ),
  written('docs/unknown.md', block('ts', "import {bottomK} from 'ohem-tfjs';", 'nothing();')),
  written('docs/javascript.md', block('js', 'const half = (x) => x / 2;'), block('ts', 'half(3).toFixed();')),
  written(
    'docs/anew.md',
    block('ts', "import {topK as hardest} from 'ohem-tfjs';", 'const k = 2;', 'let select = hardest({k});'),
    block('ts', "import type {Selector} from 'ohem-tfjs';", 'select = hardest({k: k + 1}) as Selector;'),
    block('ts', "const k = 'three';", 'k.trim();'),
    block('ts file.ts', "const k = 'three';", 'k.trim();'),
  ),
];

describe('The code of the documents', () => {
  let errors: string[] = [];
  beforeAll(() => {
    errors = typeErrors([...documents, ...SPECIMENS]);
  }, 120_000);
  const errorsIn = (path: string) => errors.filter((error) => error.startsWith(`${path}:`));

  it.each(documents.map(({path}) => path))('compiles under strict where it is tagged as ts: %s', (path) => {
    expect(errorsIn(path)).toEqual([]);
  });

  it('is compiled, so that errors are found, with file and line', () => {
    expect(errorsIn('docs/any.md')).toEqual(["docs/any.md:2: Parameter 'x' implicitly has an 'any' type."]);
    expect(errorsIn('docs/misspelt.md')).toEqual([
      expect.stringMatching(/^docs\/misspelt\.md:6: Type '"mse"' is not assignable/),
    ]);
    expect(errorsIn('docs/unknown.md')).toEqual([
      expect.stringMatching(/^docs\/unknown\.md:2: .*no exported member '?bottomK/),
      "docs/unknown.md:3: Cannot find name 'nothing'.",
    ]);
  });

  it('may use the names of blocks before, and JavaScript, but not declare a name anew', () => {
    expect(errorsIn('docs/anew.md')).toEqual([
      "docs/anew.md:3: Cannot redeclare block-scoped variable 'k'.",
      "docs/anew.md:11: Cannot redeclare block-scoped variable 'k'.",
      expect.stringMatching(/^docs\/anew\.md:12: Property 'trim' does not exist/),
    ]);
    expect(errorsIn('docs/javascript.md')).toEqual([]);
  });
});
