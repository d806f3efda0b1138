import {defineConfig} from 'vitest/config';

/** The end-to-end test of the page: `npx vitest run --config vitest.page.config.ts`. */
export default defineConfig({
  test: {
    include: ['test/browser/page/**/*.test.ts'],
    globalSetup: ['test/browser/page/buildPage.ts'],
    // One browser at a time: two would fight for the cores, and one of the tests looks at the
    // clock.
    fileParallelism: false,
    // A GPU that the processor acts may take its time; no test waits longer than it has to.
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});
