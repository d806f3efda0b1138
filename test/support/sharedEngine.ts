/**
 * @file Checks after each file that it left the engine of tfjs as it found it: files of the same
 *   process share one.
 */
import {engine, env} from '@tensorflow/tfjs-core';
import {afterAll, expect} from 'vitest';

/** The backends that `backends.ts` imports. */
const KNOWN = ['cpu', 'wasm'];

afterAll(() => {
  expect(env().getBool('PROD'), 'production mode').toBe(false);
  expect(
    Object.keys(engine().registryFactory).filter((name) => !KNOWN.includes(name)),
    'other backends',
  ).toEqual([]);
});
