import {gzipSync} from 'node:zlib';
import type {Browser} from 'playwright';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {openPage} from './livePage';
import {type PageTask, pageTasks} from './pageTasks';
import {builtFile, type ServedPage, servePage} from './servePage';

/**
 * Bytes of the first load, gzipped: all that the page requests until its first accuracy, except for
 * the wasm binary.
 */
const MOST_BYTES = 250_000;
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

const gzipped = async (files: readonly string[]): Promise<number> => {
  const sizes = await Promise.all(files.map(async (file) => gzipSync(await builtFile(file)).length));
  return sizes.reduce((sum, size) => sum + size, 0);
};
const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;

it('loads no more than 250 kB, gzipped, until the first accuracy, the binary of the backend not counted', async () => {
  server.asked();
  const live = await openPage(browser, `${server.url}?runs=8/4&steps=600&digits=60&backend=wasm`);
  const before = server.asked();
  await live.press('Start');
  await live.waitForStep(1);
  const after = server.asked();
  const binaries = after.filter((file) => file.endsWith('.wasm'));
  const total = await gzipped([...before, ...after].filter((file) => !file.endsWith('.wasm')));
  console.log(
    `First load, gzipped: ${kilobytes(await gzipped(before))} until Start can be pressed (${before.length} files), ` +
      `${kilobytes(total)} until the first accuracy, and a wasm binary of ${kilobytes(await gzipped(binaries))}`,
  );
  expect(before.some((file) => /^assets\/index-.*\.js$/.test(file))).toBe(true);
  expect(binaries).toHaveLength(1);
  expect(total).toBeLessThan(MOST_BYTES);
  // Of the backends, only the one in use.
  expect([...before, ...after].filter((file) => /webg/.test(file))).toEqual([]);
  await live.close();
});

it('shows the first accuracy of a first visit, in a time that it prints', async () => {
  const times: {start: number; accuracy: number}[] = [];
  for (let visit = 0; visit < 3; visit++) {
    const context = await browser.newContext({viewport: {width: 1440, height: 900}});
    const page = await context.newPage();
    await page.addInitScript(() => {
      window.marks = {};
      const look = () => {
        const now = performance.now();
        if (document.querySelector('#start')?.textContent === 'Pause') window.marks.start ??= now;
        const accuracy = document.querySelector('#runs-table td:nth-child(3)')?.textContent ?? '';
        if (accuracy.endsWith('%')) window.marks.accuracy ??= now;
      };
      new MutationObserver(look).observe(document, {childList: true, subtree: true, characterData: true});
    });
    await page.goto(server.url);
    await page.waitForFunction(() => window.marks.accuracy !== undefined);
    times.push((await page.evaluate(() => window.marks)) as {start: number; accuracy: number});
    await context.close();
  }
  const middle = (values: number[]) => ((values.sort((a, b) => a - b)[1] as number) / 1000).toFixed(2);
  console.log(
    `First accuracy of the first run on wasm: ${middle(times.map(({start, accuracy}) => accuracy - start))} s after the ` +
      `start, ${middle(times.map(({accuracy}) => accuracy))} s after the address was entered (medians of 3)`,
  );
  for (const {start, accuracy} of times) expect(accuracy).toBeGreaterThan(start);
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
    /** When training began, and when the page showed an accuracy, in milliseconds of the page. */
    marks: {start?: number; accuracy?: number};
    /** Milliseconds from an event to its first listener. */
    delays: number[];
  }
}
