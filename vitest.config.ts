import {configDefaults, defineConfig} from 'vitest/config';
import {sourceAliases} from './sourceAliases.ts';

/**
 * Tests that leave the engine of tfjs as they found it share one: loading it for each file would
 * take longer than many of them.
 */
const SHARING = [
  'test/{contracts,data,gradients,insight,losses,models,pairs,replay,samplers,schedules}/**/*.test.ts',
  'test/bench/**/*.test.ts',
  'test/examples/mnist/{data,experiment,report,web}/**/*.test.ts',
  // But for those that put kernels under the name of another backend, or load a module again.
  'test/selectors/!(descending).test.ts',
  'test/trainers/**/!(backward|ohemStep.device|zeroRows).test.ts',
];
/** Those need a browser. */
const IN_BROWSER = 'test/browser/**';
/**
 * `WASM_THREADS=2 npx vitest run test/backends/wasm` runs the kernels on two threads. One of its
 * files must not import the backend, and one compares threads with the stock backend.
 */
const ON_THREADS = process.env.WASM_THREADS !== undefined;
const NOT_ON_THREADS = ['notImported', 'threads'].map((name) => `test/backends/wasm/${name}.test.ts`);

export default defineConfig({
  resolve: {alias: sourceAliases},
  test: {
    testTimeout: 180_000,
    hookTimeout: 60_000,
    // Of two cores the default would leave one idle.
    maxWorkers: '100%',
    // tfjs greets everybody who runs it in Node without the native addon.
    onConsoleLog: (log) => !log.includes('Hi, looks like you are running TensorFlow.js in Node.js'),
    coverage: {include: ['src/**/*.ts'], thresholds: {statements: 100, lines: 100, functions: 100, branches: 95}},
    projects: [
      {
        extends: true,
        test: {name: 'sharing', include: SHARING, isolate: false, setupFiles: ['test/support/sharedEngine.ts']},
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, IN_BROWSER, ...SHARING, ...(ON_THREADS ? NOT_ON_THREADS : [])],
          setupFiles: ON_THREADS ? ['test/support/wasmThreads.ts'] : [],
        },
      },
    ],
  },
});
