import {pathToFileURL} from 'node:url';
import type {Browser} from 'playwright';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {type LivePage, openPage, QUICK, QUICKEST} from './livePage';
import {builtPath, type ServedPage, servePage} from './servePage';

let server: ServedPage;
let browser: Browser;
let live: LivePage | undefined;
beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(), launchChromium()]);
});
afterEach(async () => {
  await live?.close();
  live = undefined;
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const open = async (query: string, options = {}) => {
  live = await openPage(browser, server.url + query, options);
  return live;
};
/** The settings of the page, as a link has them. */
async function link({page, press, waitForSaid}: LivePage): Promise<string> {
  await press('Copy link');
  await waitForSaid(/link/);
  return new URL(page.url()).search;
}

describe('a link to a run', () => {
  it('is copied, names every setting, and opens with them', async () => {
    const first = await open('', {reducedMotion: 'reduce', permissions: ['clipboard-read', 'clipboard-write']});
    await first.page.getByLabel('Seed').fill('7');
    const search = await link(first);
    expect(search).toBe('?runs=64/48,64/48-random,64/64&lr=0.001&steps=160&seed=7&backend=wasm&digits=6000');
    expect(await first.page.evaluate(() => navigator.clipboard.readText())).toBe(first.page.url());
    await first.waitForSaid('The link is copied: it opens with these settings.');
    await first.close();
    const second = await open(search);
    expect(await second.page.getByLabel('Seed').inputValue()).toBe('7');
    expect(await second.page.locator('#runs-table tbody th').allInnerTexts()).toEqual([
      '64/48',
      '64/48 random',
      '64/64',
    ]);
    expect(await second.page.locator('#address-note').isVisible()).toBe(false);
  });

  it('is in the address bar if the browser does not let the page copy', async () => {
    const page = await open(QUICK);
    await page.page.evaluate(() => {
      Object.defineProperty(navigator, 'clipboard', {value: undefined});
    });
    expect(await link(page)).toContain('runs=32/16,32/16-random');
    await page.waitForSaid('This browser does not let the page copy; the address bar now has the link.');
  });

  it('tells of digits that are not drawn', async () => {
    const {page} = await open(`${QUICK}&data=files`);
    expect(await page.locator('#address-note').innerText()).toBe(
      'This run used files of its author: choose your own four.',
    );
    expect(await link(live as LivePage)).toMatch(/&data=files$/);
  });
});

describe('an address of an older version, or with nonsense in it', () => {
  it('opens with defaults, says what it does not understand, and trains', async () => {
    const {page, press, waitForStep, errors} = await open(
      '?runs=8/9&steps=-4&lr=fast&seed=1.5&digits=&data=cat&batch=%E0%A4%A&digits=60&backend=wasm',
    );
    const note = page.locator('#address-note');
    expect(await note.innerText()).toBe(
      [
        'This address holds what the page cannot use; defaults stand in for it.',
        'digits has no value.',
        'This version of the page has no setting batch.',
        'lr cannot be fast.',
        'steps cannot be -4.',
        'seed cannot be 1.5.',
        'data cannot be cat.',
        'runs must have k from 1 to n, got 8/9.',
      ].join(' '),
    );
    expect(await page.getByRole('alert').isVisible()).toBe(false);
    expect(await page.getByLabel('Learning rate').inputValue()).toBe('0.0003');
    await page.getByLabel('How many').fill('1200');
    const chosen = page.locator('#runs input:checked');
    while ((await chosen.count()) > 0) await chosen.first().uncheck();
    await page.getByRole('group', {name: 'Another run'}).getByLabel('n', {exact: true}).fill('16');
    await page.getByRole('group', {name: 'Another run'}).getByLabel('k', {exact: true}).fill('4');
    await page.getByRole('button', {name: 'Add run'}).click();
    await press('Start');
    await waitForStep(1);
    expect(errors).toEqual([]);
  });

  it('of version 0.1 means the same runs as then', async () => {
    const {page} = await open('?runs=512/384,512/384-random&lr=0.0003&steps=100&seed=2&backend=wasm&digits=60000');
    expect(await page.locator('#address-note').isVisible()).toBe(false);
    expect(await page.locator('#runs-table tbody th').allInnerTexts()).toEqual(['512/384', '512/384 random']);
    expect(await page.getByLabel('Steps', {exact: true}).inputValue()).toBe('100');
  });
});

describe('a machine without a GPU', () => {
  it('is named before a slow run begins', async () => {
    const {page, chooseBackend, steps} = await open(`${QUICKEST}&backend=webgl`);
    const note = page.locator('#slow-backend');
    expect(await note.innerText()).toBe(
      'WebGL has no GPU on this machine: the processor renders in its place, and each step may take seconds. ' +
        'WebAssembly is quicker here.',
    );
    expect(await steps()).toEqual([0]);
    await chooseBackend('WebAssembly');
    expect(await note.isVisible()).toBe(false);
    await chooseBackend('CPU');
    expect(await note.innerText()).toContain('plain JavaScript');
  });
});

describe('a page without a server or a network', () => {
  it('says how to serve it when it is opened as a file', async () => {
    const page = await browser.newPage();
    await page.goto(pathToFileURL(builtPath('index.html')).href);
    const told = page.locator('#unserved');
    await told.waitFor();
    await page.waitForFunction(() => (document.querySelector('#unserved')?.clientHeight ?? 0) > 20);
    expect(await told.innerText()).toMatch(/begins with file:\/\/, .*: serve the folder instead, with npx http-server/);
    // Its styles need no server.
    expect(await page.locator('#count').evaluate((node) => getComputedStyle(node).fontWeight)).toBe('600');
    await page.close();
  });

  it('does not say so when it is served', async () => {
    const {page} = await open(QUICKEST);
    expect(await page.locator('#unserved').count()).toBe(0);
  });

  it('trains to the end when the network goes away after the first step', async () => {
    const {page, press, waitForStep, waitForSaid, errors} = await open(
      `${QUICK.replace('steps=600', 'steps=20')}&backend=wasm`,
    );
    await press('Start');
    await waitForStep(1);
    await page.context().setOffline(true);
    await waitForSaid('All runs have taken their 20 steps.');
    await press('Reset');
    await waitForSaid('Ready');
    await press('Start');
    await waitForSaid('All runs have taken their 20 steps.');
    expect(errors).toEqual([]);
  });

  it('says what cannot be loaded when the network goes away before the start', async () => {
    const {page, press, waitForTrouble} = await open(`${QUICKEST}&backend=wasm`);
    await page.context().setOffline(true);
    await press('Start');
    expect(await waitForTrouble('No backend is left')).toMatch(/Reload the page to try again\.$/);
  });
});
