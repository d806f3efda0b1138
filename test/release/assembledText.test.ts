import {expect, it} from 'vitest';
import {assembledText} from '../../release/assembledText';
import {readSource} from '../support/sources';

it('the WebAssembly of the kernels is current: npm run assemble writes it', async () => {
  expect(readSource('src/backends/wasm/assembled.ts').text).toBe(await assembledText());
});
