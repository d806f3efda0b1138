import type {Browser} from 'playwright';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {type LivePage, openPage, QUICK} from './livePage';
import {type ServedPage, servePage} from './servePage';

let server: ServedPage;
let browser: Browser;
let live: LivePage;
beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(), launchChromium()]);
});
afterEach(() => live.close());
afterAll(async () => {
  await browser.close();
  await server.close();
});

const WIDE = {viewport: {width: 1440, height: 900}};
const NARROW = {viewport: {width: 360, height: 740}};
const open = async (query = '', options = {}) => {
  live = await openPage(browser, server.url + query, options);
  return live;
};
const textOf = (selector: string) => live.page.locator(selector).innerText();
/** What the canvas of the batch shows. */
const batch = () => live.page.locator('#batch').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL());
const bottomOf = (selector: string) =>
  live.page
    .locator(selector)
    .first()
    .evaluate((node) => node.getBoundingClientRect().bottom + scrollY);

describe('the first seconds of a visit', () => {
  it('show a training run that has begun on its own, with its batch, curve and hardest digits', async () => {
    const {page, waitForStep, curves, errors} = await open('', WIDE);
    const [empty, blank] = [await curves(), await batch()];
    await waitForStep(2);
    await page.waitForFunction((before) => {
      const canvas = document.querySelector('#batch') as HTMLCanvasElement;
      return canvas.toDataURL() !== before;
    }, blank);
    const [one, first] = [await batch(), await textOf('#count')];
    await waitForStep(8);
    expect(await batch()).not.toBe(one);
    expect(await textOf('#count')).not.toBe(first);
    expect((await curves())[0]).not.toBe(empty[0]);
    expect(await page.locator('#wall .kept').count()).toBeGreaterThanOrEqual(16);
    expect(await page.locator('#batch').getAttribute('aria-label')).toMatch(
      /^The 64 digits of step \d+, 48 of them lit$/,
    );
    expect(await textOf('#happened')).toMatch(
      /^After \d+ steps?, 64\/48 is at \d+\.\d % with 75 % of the backward rows of 64\/64/,
    );
    expect(new URL(page.url()).search).toBe('');
    expect(errors).toEqual([]);
  });

  it.each([
    ['the accuracies after 1, 2 and 5 steps', WIDE],
    ['the same on a phone', NARROW],
  ] as const)('have %s', async (_, options) => {
    const {page, waitForStep} = await open('', options);
    await waitForStep(6);
    const bests = await page.locator('#runs-table td:nth-child(4)').allInnerTexts();
    for (const best of bests) expect(best).toMatch(/^\d+\.\d % ?\n?step [0125]$/);
  });

  it('have batch, accuracy, table and hardest digits above the fold of a desk', async () => {
    const {waitForStep} = await open('', WIDE);
    await waitForStep(2);
    for (const selector of ['#batch', '#accuracy', '#wall li:nth-child(8)', '#runs-table', '#happened']) {
      expect(await bottomOf(selector), selector).toBeLessThanOrEqual(900);
    }
  });

  it('have the batch above the fold of a phone, and the hardest digits near it', async () => {
    const {page, waitForStep} = await open('', NARROW);
    await waitForStep(2);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(await bottomOf('#batch')).toBeLessThanOrEqual(740);
    expect(await bottomOf('#wall li:first-child')).toBeLessThanOrEqual(900);
    expect(await page.locator('#settings').evaluate((node: HTMLDetailsElement) => node.open)).toBe(false);
    expect(await textOf('#settings-summary')).toBe(
      '64/48, 64/48 random, 64/64 · 160 steps · rate 0.001 · 6,000 drawn digits · WebAssembly · seed 1',
    );
  });
});

describe('a visit that does not begin on its own', () => {
  it('is one whose reader asks for less motion', async () => {
    const {page, press, waitForStep, waitForSaid} = await open('', {...WIDE, reducedMotion: 'reduce'});
    await waitForSaid(/^Ready\. 3 runs, on \w+\.$/);
    await page.waitForTimeout(500);
    expect(await live.steps()).toEqual([0, 0, 0]);
    expect(await textOf('#happened')).toBe(
      'Watch whether 64/48, which learns from the 48 hardest of 64 digits, keeps up with 64/64, which learns from all.',
    );
    await press('Start');
    await waitForStep(1);
  });

  it('is one by a shared address', async () => {
    const {page, waitForSaid} = await open(QUICK);
    await waitForSaid('Ready');
    await page.waitForTimeout(500);
    expect(await live.steps()).toEqual([0, 0]);
  });
});

describe('what a training run says', () => {
  it('counts every step, and disturbs a screen reader at each tenth of them only', async () => {
    const {page, press, waitForSaid} = await open(`${QUICK.replace('steps=600', 'steps=60')}&backend=wasm`);
    await page.evaluate(() => {
      window.heard = {said: [], count: []};
      for (const id of ['said', 'count'] as const) {
        const place = document.getElementById(id) as HTMLElement;
        new MutationObserver(() => window.heard[id].push(place.textContent ?? '')).observe(place, {childList: true});
      }
    });
    await press('Start');
    await waitForSaid('All runs have taken their 60 steps.');
    const {said, count} = await page.evaluate(() => window.heard);
    const counted = new Set(count);
    for (let step = 1; step <= 60; step++) expect(counted).toContain(`Step ${step} of 60`);
    const tenths = said.filter((text) => text.startsWith('Training on'));
    expect(tenths.length).toBeLessThanOrEqual(11);
    expect(tenths.at(-1)).toMatch(/^Training on wasm\. Best accuracy after 60 steps: \d+\.\d % by 32\/16( random)?\.$/);
    expect(await page.locator('#count').getAttribute('aria-live')).toBeNull();
    expect(await textOf('#happened')).toMatch(/^In the end, after 60 steps, .* Another seed may differ\.$/);
    await press('Next seed');
    await waitForSaid(/^Training on/);
    expect(new URL(page.url()).searchParams.get('seed')).toBe('2');
  });

  it('names the best accuracy of each run, and after which step it was', async () => {
    const {page, press, waitForSaid} = await open('?runs=8/4&steps=30&digits=60&lr=0.01');
    await page.evaluate(() => {
      window.accuracies = [];
      const row = () => [...document.querySelectorAll('#runs-table tbody td')].map((cell) => cell.textContent ?? '');
      new MutationObserver(() => {
        const [step = '', accuracy = ''] = row();
        window.accuracies.push([Number(step), Number.parseFloat(accuracy)]);
      }).observe(document.querySelector('#runs-table tbody') as Element, {childList: true, subtree: true});
    });
    await press('Start');
    await waitForSaid('All runs have taken their 30 steps.');
    const seen = await page.evaluate(() => window.accuracies);
    const best = Math.max(...seen.map(([, accuracy]) => accuracy).filter((accuracy) => !Number.isNaN(accuracy)));
    expect(await textOf('#runs-table td:nth-child(4)')).toMatch(
      new RegExp(`^${best.toFixed(1).replace('.', '\\.')} % step \\d+$`),
    );
  });

  it('is calm about drawn digits', async () => {
    const {page, waitForStep} = await open('', WIDE);
    await waitForStep(1);
    const note = page.locator('#drawn');
    expect(await note.innerText()).toBe(
      'These digits were drawn by the example: not MNIST. No figure here says anything about MNIST.',
    );
    const colors = await note.evaluate((node) => {
      const {color, backgroundColor} = getComputedStyle(node);
      return [color, backgroundColor];
    });
    expect(colors).toEqual(['rgb(90, 97, 105)', 'rgba(0, 0, 0, 0)']);
    expect(await page.getByRole('alert').isVisible()).toBe(false);
  });
});

declare global {
  interface Window {
    /** Texts of the live region and of the count, in order. */
    heard: {said: string[]; count: string[]};
    /** Step and percentage of the first run, whenever its row changes. */
    accuracies: [step: number, percentage: number][];
  }
}
