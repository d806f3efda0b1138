import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import ohem from './package.json' with {type: 'json'};

/** Names of the entries beside the root: `losses` of `ohem-tfjs/losses`. */
const entryNames = Object.keys(ohem.exports)
  .map((path) => path.slice(2))
  .filter((name) => name !== '' && name !== 'package.json');

/**
 * Writes a folder with a package.json for each entry, as `wasm/package.json` for `ohem-tfjs/wasm`:
 * Parcel and resolvers that do not read `exports` look there.
 */
export async function writeEntryFolders(root: string): Promise<void> {
  for (const name of entryNames) {
    const entry = {
      main: `../dist/${name}.cjs`,
      module: `../dist/${name}.js`,
      types: `../dist/${name}.d.cts`,
      sideEffects: false,
    };
    await mkdir(join(root, name), {recursive: true});
    await writeFile(join(root, name, 'package.json'), `${JSON.stringify(entry, null, 2)}\n`);
  }
}
