import type {Browser} from 'playwright';
import {afterAll, afterEach, beforeAll, expect, it} from 'vitest';
import {type LivePage, launchChromium, openPage, QUICK} from './livePage';
import {type ServedPage, servePage} from './servePage';

let server: ServedPage;
let browser: Browser;
let live: LivePage;
beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(), launchChromium()]);
});
afterEach(() => live.close());
afterAll(() => Promise.all([browser.close(), server.close()]));

const open = async (query = QUICK) => {
  live = await openPage(browser, server.url + query);
  return live;
};

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
  const {press, waitForStep, curves, page, errors} = await open();
  const empty = {curves: await curves(), ...(await inside())};
  await press('Start');
  await waitForStep(20);
  await press('Pause');
  await live.waitForSaid(/^Paused at step/);
  const early = {curves: await curves(), ...(await inside())};
  await press('Resume');
  await waitForStep(60);
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
  const {press, waitForStep, waitForSaid, steps, page, curves} = await open();
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

it('keeps the number of tensors while it trains', async () => {
  const {press, waitForStep, page} = await open();
  await press('Start');
  await waitForStep(20);
  const tensors = await page.locator('#n-tensors').innerText();
  await waitForStep(80);
  expect(await page.locator('#n-tensors').innerText()).toBe(tensors);
});

it('looks into the run that is chosen, also while it is paused', async () => {
  const {press, waitForStep, waitForSaid, page} = await open();
  await press('Start');
  await waitForStep(5);
  await press('Pause');
  await waitForSaid(/^Paused/);
  await page.getByRole('radio', {name: '64/32 random'}).check();
  await page.locator('#wall .left').first().waitFor();
  expect(await page.locator('#inside').innerText()).toBe('Inside 64/32 random');
  expect(await page.locator('#histograms').innerText()).toContain('any 32');
});

it('comes to an end, says so, and can be started anew', async () => {
  const {press, waitForSaid, steps} = await open('?runs=16/8&steps=4&digits=60&seed=7');
  await press('Start');
  await waitForSaid('All runs have taken their 4 steps.');
  expect(await steps()).toEqual([4]);
  await press('Reset');
  await waitForSaid('Ready');
  await press('Start');
  await waitForSaid('All runs have taken their 4 steps.');
});

it('says when training diverges, and what to do', async () => {
  const {press, waitForTrouble} = await open('?runs=16/8&steps=50&digits=60');
  await live.page.getByLabel('Learning rate').evaluate((field: HTMLInputElement) => {
    field.max = '1e39';
  });
  await live.page.getByLabel('Learning rate').fill('1e38');
  await press('Start');
  expect(await waitForTrouble('losses must stay finite')).toContain('Reset, and try a smaller learning rate.');
});

it('can be used with the keyboard alone', async () => {
  const {page, waitForStep, waitForSaid} = await open();
  const focused = () => page.evaluate(() => document.activeElement?.id);
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
  await page.waitForFunction(() => document.querySelector('#inside')?.textContent === 'Inside 64/32 random');
});

it('adds a run of the user, and says what is wrong with one that cannot be', async () => {
  const {page, waitForTrouble, press, waitForStep} = await open();
  const group = page.getByRole('group', {name: 'Another run'});
  await group.getByLabel('n', {exact: true}).fill('48');
  await group.getByLabel('k', {exact: true}).fill('49');
  await group.getByRole('button').click();
  expect(await waitForTrouble('k from 1 to n')).toBe('The run must have k from 1 to n, got 48/49.');
  await group.getByLabel('k', {exact: true}).fill('12');
  await group.getByRole('button').click();
  await press('Start');
  await waitForStep(1);
  expect(await page.locator('#runs-table tbody th').allInnerTexts()).toContain('48/12');
});

it('can be shared by its address', async () => {
  const {page, press, waitForStep} = await open(
    '?runs=32/16,32/16-random&steps=9&lr=0.001&seed=3&digits=120&backend=cpu',
  );
  await press('Start');
  await waitForStep(1);
  expect(new URL(page.url()).search).toBe('?runs=32/16,32/16-random&lr=0.001&steps=9&seed=3&backend=cpu&digits=120');
});
