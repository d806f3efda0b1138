import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import wabt from 'wabt';

const SOURCE = 'src/backends/wasm/product.wat';

/** Assembles the WebAssembly of products, and returns the module that holds its bytes. */
export async function productCodeText(): Promise<string> {
  const source = readFileSync(fileURLToPath(new URL(`../${SOURCE}`, import.meta.url)), 'utf8');
  const own = await assembled(source);
  const shared = await assembled(source.replace('(memory 1)', '(memory 1 65536 shared)'));
  return `/** @file Written by \`npm run assemble\` from product.wat. */

/** A WebAssembly module, as base64. */
export const PRODUCT_CODE =
  '${own}';

/** The same for memory that threads share. */
export const SHARED_PRODUCT_CODE =
  '${shared}';
`;
}

async function assembled(source: string): Promise<string> {
  const {parseWat} = await wabt();
  const module = parseWat(SOURCE, source, {simd: true, threads: true});
  try {
    return Buffer.from(module.toBinary({}).buffer).toString('base64');
  } finally {
    module.destroy();
  }
}
