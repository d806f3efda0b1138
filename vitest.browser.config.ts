import {fileURLToPath} from 'node:url';
import {playwright} from '@vitest/browser-playwright';
import {defineConfig} from 'vitest/config';
import {sourceAliases} from './sourceAliases.ts';
import {CHROMIUM_FLAGS, findChromium} from './test/support/chromium.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Tests in a real browser, on every backend that it has. */
export default defineConfig({
  resolve: {
    // The same contracts, on four backends.
    alias: [
      ...sourceAliases,
      {find: /^(\.\.\/)+support\/backends$/, replacement: here('test/browser/support/backends.ts')},
    ],
  },
  // Named here, since what is found only while tests run makes the page load anew.
  optimizeDeps: {
    include: [
      ...['core', 'layers', 'vis', 'backend-cpu', 'backend-wasm', 'backend-webgl', 'backend-webgpu'].map(
        (part) => `@tensorflow/tfjs-${part}`,
      ),
      'fast-check',
    ],
  },
  test: {
    include: [
      'test/browser/**/*.browser.test.ts',
      'test/contracts/{losses,selectors}.contract.test.ts',
      'test/trainers/step/strategies.test.ts',
    ],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({launchOptions: {executablePath: findChromium(), args: CHROMIUM_FLAGS}}),
      instances: [{browser: 'chromium'}],
    },
  },
});
