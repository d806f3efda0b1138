import {defineConfig} from 'vitest/config';

/**
 * The end-to-end tests of the live page and of the site. To run one of the two:
 * `npx vitest run --config vitest.page.config.ts --project site`.
 */
export default defineConfig({
  test: {
    // One browser at a time: two would fight for the cores, and one of the tests looks at the
    // clock.
    fileParallelism: false,
    // A GPU rendered in software may take its time; no test waits longer than it has to.
    testTimeout: 180_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'page',
          include: ['test/browser/page/**/*.test.ts'],
          globalSetup: ['test/browser/page/buildPage.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'site',
          include: ['test/browser/site/**/*.test.ts'],
          globalSetup: ['test/browser/site/runBuild.ts'],
        },
      },
    ],
  },
});
