import {gzipSync} from 'node:zlib';
import type {Browser} from 'playwright';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {openPage} from './livePage';
import {type PageTask, pageTasks} from './pageTasks';
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

it('is never deaf for longer than 100 ms while the usual runs train on wasm', async () => {
  const live = await openPage(browser, `${server.url}?digits=3000&backend=wasm`);
  const {page, press, waitForStep} = live;
  await page.evaluate(() => {
    window.delays = [];
    new PerformanceObserver((list) => {
      const events = list.getEntries() as PerformanceEventTiming[];
      window.delays.push(...events.map(({startTime, processingStart}) => processingStart - startTime));
    }).observe({type: 'event', durationThreshold: 16} as PerformanceObserverInit);
  });
  const tasks = await pageTasks(browser, async () => {
    await press('Start');
    await waitForStep(1);
    for (let turn = 0; turn < 12; turn++) {
      await page
        .locator('#runs-table input')
        .nth(turn % 5)
        .click();
      await page.waitForTimeout(250);
    }
    await waitForStep(3);
  });
  const longest = (clock: keyof PageTask) => Math.round(Math.max(...tasks.map((task) => task[clock])));
  const delays = (await page.evaluate(() => window.delays)).sort((a, b) => a - b);
  const usualDelay = Math.round(delays[delays.length >> 1] ?? 0);
  console.log(
    `While it trains on wasm the page is busy for ${longest('cpu')} ms at most (${longest('wall')} ms by the clock), ` +
      `and hears a click after ${usualDelay} ms`,
  );
  // Time of the processor: on a machine that is busy with other things the clock would tell of
  // those.
  expect(tasks.length).toBeGreaterThan(100);
  expect(longest('cpu')).toBeLessThanOrEqual(LONGEST_BLOCK);
  expect(usualDelay).toBeLessThanOrEqual(LONGEST_BLOCK);
  await live.close();
});

declare global {
  interface Window {
    /** Milliseconds from an event to its first listener. */
    delays: number[];
  }
}
