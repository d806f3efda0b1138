/** @file Changes which `@tensorflow/tfjs-backend-wasm` this process seems to have loaded. */
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach} from 'vitest';

const require = createRequire(import.meta.url);
const ENTRY = require.resolve('@tensorflow/tfjs-backend-wasm');
const loaded = require.cache[ENTRY];
const NAME = 'tfjs-backend-wasm-threaded-simd';

const folders: string[] = [];
afterEach(() => {
  for (const path of Object.keys(require.cache))
    if (folders.some((folder) => path.startsWith(folder))) delete require.cache[path];
  for (const folder of folders.splice(0)) rmSync(folder, {recursive: true});
  require.cache[ENTRY] = loaded;
});

/** No copy is loaded from files, as in a bundle. */
export function hideWasmPackage(): void {
  delete require.cache[ENTRY];
}

/** The ends of the files that threads need, and their content. */
type Files = Partial<Record<'js' | 'wasm' | 'worker.js', string | Buffer>>;

/** The package as it is, but for some of its files. */
export function changeWasmPackage(change: (files: Required<Files>) => Files): void {
  hideWasmPackage();
  const root = mkdtempSync(join(tmpdir(), 'ohem-wasm-'));
  folders.push(root);
  const folder = join(root, '@tensorflow', 'tfjs-backend-wasm');
  const file = (end: string) => join('wasm-out', `${NAME}.${end}`);
  const original = (end: string) => readFileSync(join(dirname(ENTRY), '..', file(end)));
  for (const made of ['dist', 'wasm-out']) mkdirSync(join(folder, made), {recursive: true});
  const files = change({js: original('js'), wasm: original('wasm'), 'worker.js': original('worker.js')});
  for (const [end, content] of Object.entries(files)) writeFileSync(join(folder, file(end)), content);
  const entry = join(folder, 'dist', 'tf-backend-wasm.node.js');
  require.cache[entry] = loaded;
}
