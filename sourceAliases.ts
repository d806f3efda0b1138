import {fileURLToPath} from 'node:url';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** The entry points of the library, from its sources. */
export const sourceAliases = [
  {find: /^ohem-tfjs$/, replacement: source('index.ts')},
  {find: /^ohem-tfjs\/wasm$/, replacement: source('backends/wasm/index.ts')},
  {
    find: /^ohem-tfjs\/(losses|schedules|selectors|trainers|insight|pairs|samplers|node)$/,
    replacement: source('$1/index.ts'),
  },
];
