/** @file `npm run assemble` writes the WebAssembly of products into a module of src. */
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {productCodeText} from './productCodeText';

const target = new URL('../src/backends/wasm/productCode.ts', import.meta.url);
writeFileSync(fileURLToPath(target), await productCodeText());
