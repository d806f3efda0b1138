import {gzipSync} from 'node:zlib';
import type {Browser} from 'playwright';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {launchChromium, openPage} from './livePage';
import {builtFile, type ServedPage, servePage} from './servePage';

/** Bytes of the first load, gzipped. */
const MOST_BYTES = 600_000;
/** Milliseconds for which the page may be deaf. */
const LONGEST_BLOCK = 100;

let server: ServedPage;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(), launchChromium()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

it('loads no more than 600 kB, gzipped, before it trains, the backend and all but the wasm binaries counted', async () => {
  const live = await openPage(browser, `${server.url}?runs=8/4&steps=600&digits=60`);
  await live.press('Start');
  await live.waitForStep(1);
  const files = server.asked().filter((file) => !file.endsWith('.wasm'));
  const sizes = await Promise.all(files.map(async (file) => gzipSync(await builtFile(file)).length));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`First load: ${files.length} files, ${Math.round(total / 1000)} kB gzipped`);
  expect(files.some((file) => file.startsWith('assets/main-'))).toBe(true);
  expect(total).toBeLessThan(MOST_BYTES);
  await live.close();
});

declare global {
  interface Window {
    blocks: number[];
  }
}

it('is never deaf for longer than 100 ms while the usual runs train on wasm', async () => {
  const live = await openPage(browser, `${server.url}?digits=3000&backend=wasm`);
  const {page} = live;
  await page.evaluate(() => {
    window.blocks = [];
    const note = (times: number[]) => window.blocks.push(...times);
    new PerformanceObserver((list) => note(list.getEntries().map(({duration}) => duration))).observe({
      type: 'longtask',
    });
    new PerformanceObserver((list) => {
      note(
        (list.getEntries() as PerformanceEventTiming[]).map(
          ({startTime, processingStart}) => processingStart - startTime,
        ),
      );
    }).observe({type: 'event', durationThreshold: 16} as PerformanceObserverInit);
  });
  await live.press('Start');
  await live.waitForStep(1);
  for (let turn = 0; turn < 12; turn++) {
    await page
      .locator('#runs-table input')
      .nth(turn % 5)
      .click();
    await page.waitForTimeout(250);
  }
  await live.waitForStep(3);
  const longest = Math.max(0, ...(await page.evaluate(() => window.blocks)));
  console.log(`Longest block of the page while it trains on wasm: ${Math.round(longest)} ms`);
  expect(longest).toBeLessThanOrEqual(LONGEST_BLOCK);
  await live.close();
});
