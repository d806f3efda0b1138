/** @file `npm run assemble` writes the WebAssembly of the wasm kernels into a module of src. */
import {writeFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {assembledText} from './assembledText';

const target = new URL('../src/backends/wasm/assembled.ts', import.meta.url);
writeFileSync(fileURLToPath(target), await assembledText());
