import {fileURLToPath} from 'node:url';
import {playwright} from '@vitest/browser-playwright';
import {defineConfig} from 'vitest/config';
import {CHROMIUM_FLAGS, findChromium} from './test/support/chromium';
import {aliases} from './vitest.config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Tests in a real browser, on every backend that it has. */
export default defineConfig({
  resolve: {
    // The same contracts, on four backends.
    alias: [...aliases, {find: /^\.\.\/support\/backends$/, replacement: here('test/browser/support/backends.ts')}],
  },
  test: {
    include: ['test/browser/**/*.browser.test.ts', 'test/contracts/{losses,selectors}.contract.test.ts'],
    testTimeout: 180_000,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({launchOptions: {executablePath: findChromium(), args: CHROMIUM_FLAGS}}),
      instances: [{browser: 'chromium'}],
    },
  },
});
