import type {Browser} from 'playwright';
import {afterAll, afterEach, beforeAll, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {type LivePage, openPage, QUICK} from './livePage';
import {type ServedPage, servePage} from './servePage';

let server: ServedPage;
let browser: Browser;
let live: LivePage;
beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(), launchChromium()]);
  live = await openPage(browser, server.url + QUICK);
});
afterEach(async () => {
  if (await live.page.locator('#reset:disabled').isVisible()) return;
  await live.press('Reset');
  await live.waitForSaid('Ready');
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

/** What can be seen of the batch: bars, digits, and the row of numbers. */
const inside = () =>
  live.page.evaluate(() => ({
    bars: [...document.querySelectorAll('#histograms rect')].map((bar) => bar.getAttribute('height')).join(),
    digits: [...document.querySelectorAll('#wall canvas')].map((canvas) => canvas.getAttribute('aria-label')).join(),
    pixels: [...document.querySelectorAll<HTMLCanvasElement>('#wall canvas')]
      .map((canvas) => canvas.toDataURL())
      .join(),
    mined: [...document.querySelectorAll('#ledger canvas')].map((canvas) => canvas.getAttribute('aria-label')).join(),
  }));

it('shows curves, histograms and digits that change while it trains', async () => {
  const {press, waitForStep, curves, page, errors} = live;
  const empty = {curves: await curves(), ...(await inside())};
  await press('Start');
  await waitForStep(20);
  await press('Pause');
  await live.waitForSaid(/^Paused at step/);
  const early = {curves: await curves(), ...(await inside())};
  const tensors = await page.locator('#n-tensors').innerText();
  await press('Resume');
  await waitForStep(60);
  // Nothing leaks.
  expect(await page.locator('#n-tensors').innerText()).toBe(tensors);
  const late = {curves: await curves(), ...(await inside())};
  for (const key of ['bars', 'digits', 'pixels', 'mined'] as const) {
    expect(early[key], key).not.toBe(empty[key]);
    expect(late[key], key).not.toBe(early[key]);
  }
  for (const plot of [0, 1]) {
    expect(early.curves[plot]).not.toBe(empty.curves[plot]);
    expect(late.curves[plot]).not.toBe(early.curves[plot]);
  }
  const spoken = await page.locator('#wall canvas').first().getAttribute('aria-label');
  expect(spoken).toMatch(/^A \d, read (rightly|as \d), loss \d\.\d\d, (backpropagated|left out)$/);
  expect(await page.locator('#ledger canvas').first().getAttribute('aria-label')).toMatch(
    /^A \d, read (rightly|as \d), mined \d+ of \d+ times, mean loss \d\.\d\d$/,
  );
  expect(await page.locator('#n-share').innerText()).toBe('50 %');
  expect(await page.locator('#n-time').innerText()).toMatch(/^[\d.]+ ms$/);
  expect(await page.locator('#n-strategy').innerText()).toMatch(/^(masked|pruned|recompute): ./);
  expect(errors).toEqual([]);
});

it('takes no step while it is paused, one of every run when asked, and none are left after a reset', async () => {
  const {press, waitForStep, waitForSaid, steps, page, curves} = live;
  const empty = await curves();
  await press('Start');
  await waitForStep(3);
  await press('Pause');
  await waitForSaid(/^Paused at step/);
  const paused = await steps();
  await page.waitForTimeout(400);
  expect(await steps()).toEqual(paused);
  await press('Step');
  // Where it was paused amid a turn, the turn is ended first.
  const even = Math.max(...paused) + (paused[0] === paused[1] ? 1 : 0);
  await waitForStep(even);
  await page.waitForTimeout(200);
  expect(await steps()).toEqual([even, even]);
  await press('Reset');
  await waitForSaid('Ready');
  expect(await steps()).toEqual([0, 0]);
  expect(await curves()).toEqual(empty);
  await press('Step');
  await waitForSaid('Paused at step 1 of 600');
  expect(await steps()).toEqual([1, 1]);
});

it('looks into the run that is chosen, also while it is paused', async () => {
  const {press, waitForStep, waitForSaid, page} = live;
  await press('Start');
  await waitForStep(5);
  await press('Pause');
  await waitForSaid(/^Paused/);
  await page.getByRole('radio', {name: '32/16 random'}).check();
  await page.locator('#wall .left').first().waitFor();
  expect(await page.locator('#inside').innerText()).toBe('Inside 32/16 random');
  expect(await page.locator('#histograms').innerText()).toContain('any 16');
});

it('ends, says so, and can be started anew', async () => {
  const {press, waitForSaid, steps, page} = live;
  await page.getByLabel('Steps', {exact: true}).fill('4');
  await press('Start');
  await waitForSaid('All runs have taken their 4 steps.');
  expect(await steps()).toEqual([4, 4]);
  // A training can be shared by its address.
  expect(new URL(page.url()).search).toBe(`?runs=32/16,32/16-random&lr=0.0003&steps=4&seed=1&backend=wasm&digits=240`);
  await press('Reset');
  await waitForSaid('Ready');
  await press('Start');
  await waitForSaid('All runs have taken their 4 steps.');
  await page.getByLabel('Steps', {exact: true}).evaluate((field: HTMLInputElement) => {
    field.value = '600';
  });
});

it('says when training diverges, and what to do', async () => {
  const {press, waitForTrouble, page} = live;
  const rate = page.getByLabel('Learning rate');
  await rate.evaluate((field: HTMLInputElement) => {
    field.max = '1e39';
  });
  await rate.fill('1e38');
  await press('Start');
  expect(await waitForTrouble('losses must stay finite')).toContain('Reset, and try a smaller learning rate.');
  await rate.evaluate((field: HTMLInputElement) => {
    field.value = '0.0003';
  });
});

it('can be used with the keyboard alone', async () => {
  const {page, waitForStep, waitForSaid} = live;
  const focused = () => page.evaluate(() => document.activeElement?.id);
  await page.locator('.skip').focus();
  for (let tabs = 0; tabs < 5 && (await focused()) !== 'start'; tabs++) await page.keyboard.press('Tab');
  expect(await focused()).toBe('start');
  await page.keyboard.press('Enter');
  await waitForStep(2);
  expect(await focused()).toBe('start');
  await page.keyboard.press('Space');
  await waitForSaid(/^Paused/);
  for (
    let tabs = 0;
    tabs < 40 && (await page.evaluate(() => document.activeElement?.getAttribute('name'))) !== 'shown';
    tabs++
  ) {
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.querySelector('#inside')?.textContent === 'Inside 32/16 random');
});

it('adds a run of the user, and says what is wrong with one that cannot be', async () => {
  const {page, waitForTrouble, press, waitForStep} = live;
  const group = page.getByRole('group', {name: 'Another run'});
  await group.getByLabel('n', {exact: true}).fill('24');
  await group.getByLabel('k', {exact: true}).fill('25');
  await group.getByRole('button').click();
  expect(await waitForTrouble('k from 1 to n')).toBe('The run must have k from 1 to n, got 24/25.');
  await group.getByLabel('k', {exact: true}).fill('12');
  await group.getByRole('button').click();
  await press('Start');
  await waitForStep(1);
  expect(await page.locator('#runs-table tbody th').allInnerTexts()).toContain('24/12');
});
