import {fileURLToPath} from 'node:url';
import {configDefaults, defineConfig} from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** The entry points of the library, from its sources. */
export const aliases = [
  {find: /^ohem-tfjs$/, replacement: source('index.ts')},
  {find: /^ohem-tfjs\/wasm$/, replacement: source('backends/wasm/index.ts')},
  {find: /^ohem-tfjs\/(losses|schedules|selectors|trainers|insight|node)$/, replacement: source('$1/index.ts')},
];

export default defineConfig({
  resolve: {alias: aliases},
  test: {
    include: ['test/**/*.test.ts'],
    // Those want a browser.
    exclude: [...configDefaults.exclude, 'test/browser/**'],
    testTimeout: 180_000,
    // Of two cores the default would leave one idle.
    maxWorkers: '100%',
    // tfjs greets everybody who runs it in Node without the native addon.
    onConsoleLog: (log) => !log.includes('Hi, looks like you are running TensorFlow.js in Node.js'),
    coverage: {include: ['src/**/*.ts'], thresholds: {statements: 100, lines: 100, functions: 100, branches: 95}},
  },
});
