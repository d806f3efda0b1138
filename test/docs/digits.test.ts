/** @file The page of code that embeds MNIST digits runs, on digits that are drawn. */
import {setBackend} from '@tensorflow/tfjs-core';
import type {Sequential} from '@tensorflow/tfjs-layers';
import {beforeAll, describe, expect, it} from 'vitest';
import '../support/backends';
import {installedBy, programsIn, runExample} from '../support/docExamples';
import {readSource} from '../support/sources';
import {trainsOn} from '../support/wasmTraining';

const document = readSource('docs/pairs.md');

describe('The page of code that embeds digits', () => {
  // In a fifth of the time that cpu takes.
  beforeAll(() => setBackend('wasm'));
  trainsOn('wasm');

  it('runs, and finds the class of most digits that it has not seen', async () => {
    const program = programsIn(document).find(({file}) => file === 'digits.mjs');
    if (!program) throw new Error('docs/pairs.md must have digits.mjs');
    // The values that it names are checked.
    const {model, training} = await runExample(program, {}, [...installedBy(document), 'mnist']);
    expect((model as Sequential).outputs[0]?.shape).toEqual([null, 64]);
    expect(training).toHaveLength(2000);
  });
});
