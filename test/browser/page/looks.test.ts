import {mkdir, readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {fileURLToPath} from 'node:url';
import type {AxeResults} from 'axe-core';
import type {Browser} from 'playwright';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {openPage} from './livePage';
import {type ServedPage, servePage} from './servePage';

/** Pictures to look at; nothing compares them. */
const ARTIFACTS = fileURLToPath(new URL('../../../test-artifacts/', import.meta.url));
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const RUNS = '?runs=128/128,128/64,512/384-random,128/16&steps=40&digits=1200&lr=0.002';

let server: ServedPage;
let browser: Browser;
let axe: string;
beforeAll(async () => {
  await mkdir(ARTIFACTS, {recursive: true});
  [server, browser, axe] = await Promise.all([servePage(), launchChromium(), readFile(AXE, 'utf8')]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

it('fits narrow and wide screens, is legible in light and dark, and has no fault that axe finds', async () => {
  const live = await openPage(browser, server.url + RUNS, {viewport: {width: 1440, height: 900}});
  const {page, press, waitForStep, waitForSaid, close} = live;
  await page.evaluate(axe);
  const faults = async () => {
    const results = await page.evaluate(() => (globalThis as unknown as {axe: {run(): Promise<AxeResults>}}).axe.run());
    return results.violations.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html).join(' ')}`);
  };
  expect(await faults()).toEqual([]);
  await press('Start');
  await waitForStep(24);
  await press('Pause');
  await waitForSaid(/^Paused/);
  for (const width of [1440, 360]) {
    await page.setViewportSize({width, height: 900});
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({colorScheme, reducedMotion: 'reduce'});
      await page.waitForTimeout(300);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      // Colours do not depend on the width, nor the order of things on the colours: two of the four
      // tell it all.
      if ((width === 360) === (colorScheme === 'dark')) expect(await faults()).toEqual([]);
      await page.screenshot({path: `${ARTIFACTS}page-${width}-${colorScheme}.png`, fullPage: true});
    }
    const widths = await page
      .locator('.plot')
      .evaluateAll((plots) => plots.map((plot) => plot.clientWidth - (plot.querySelector('canvas')?.clientWidth ?? 0)));
    expect(widths).toEqual([0, 0]);
  }
  await close();
});
