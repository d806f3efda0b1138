import {expect, it} from 'vitest';
import {productCodeText} from '../../release/productCodeText';
import {readSource} from '../support/sources';

it('the WebAssembly of products is current: npm run assemble writes it', async () => {
  expect(readSource('src/backends/wasm/productCode.ts').text).toBe(await productCodeText());
});
