import type {Browser, Page} from 'playwright';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {openSite} from './sitePage';
import {type SiteServer, serveSite} from './siteServer';

let server: SiteServer;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([serveSite(), launchChromium()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

describe('The theme', () => {
  /** The file of the first figure that is visible. */
  const shown = (page: Page) =>
    page
      .locator('.figure img:visible')
      .evaluateAll((images) => images.map((image) => (image as HTMLImageElement).src.replace(/.*\//, '')));
  const background = (page: Page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  it.each([
    {system: 'light', choice: 'Dark', before: 'light', after: 'dark'},
    {system: 'dark', choice: 'Light', before: 'dark', after: 'light'},
  ] as const)('is that of the system ($system), until one chooses $choice; figures follow', async (theme) => {
    const {page, close} = await openSite(browser, `${server.url}index.html`, {colorScheme: theme.system});
    expect(await shown(page)).toEqual([`figure-1-${theme.before}.svg`]);
    const first = await background(page);
    await page.getByRole('combobox', {name: 'Theme'}).selectOption({label: theme.choice});
    expect(await shown(page)).toEqual([`figure-1-${theme.after}.svg`]);
    expect(await background(page)).not.toBe(first);
    await page.goto(`${server.url}guides/results.html`);
    const figures = await shown(page);
    expect(figures.length).toBeGreaterThan(8);
    for (const file of figures) expect(file).toContain(`-${theme.after}`);
    await close();
  });
});

describe('The menu of small screens', () => {
  it('opens by keyboard, takes the focus, and closes by Escape, beside it, and by a link', async () => {
    const {page, close} = await openSite(browser, `${server.url}guides/faq.html`, {
      viewport: {width: 360, height: 800},
    });
    const trigger = page.getByRole('button', {name: 'Menu'});
    const start = page.locator('#site-menu').getByRole('link', {name: 'Start', exact: true});
    await trigger.press('Enter');
    await start.waitFor();
    expect(await trigger.getAttribute('aria-expanded')).toBe('true');
    expect(await page.evaluate(() => document.getElementById('site-menu')?.contains(document.activeElement))).toBe(
      true,
    );
    await page.keyboard.press('Escape');
    await start.waitFor({state: 'hidden'});
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('site-menu-trigger');
    await trigger.click();
    await start.waitFor();
    await page.mouse.click(10, 400);
    await start.waitFor({state: 'hidden'});
    await trigger.click();
    await page.locator('#site-menu').getByRole('link', {name: 'Concepts', exact: true}).click();
    expect(await page.locator('main h1').innerText()).toBe('Concepts');
    await close();
  });
});

describe('What scrolls sideways', () => {
  it('is a stop of the Tab key as long as it overflows', async () => {
    const {page, close} = await openSite(browser, `${server.url}guides/results.html`, {
      viewport: {width: 360, height: 800},
    });
    const overflowing = () =>
      page
        .locator('.scroll')
        .evaluateAll((boxes) =>
          boxes.map((box) => [box.scrollWidth > box.clientWidth + 1, box.getAttribute('tabindex')]),
        );
    const small = await overflowing();
    expect(small.some(([overflows]) => overflows)).toBe(true);
    for (const [overflows, tabindex] of small) expect(tabindex).toBe(overflows ? '0' : null);
    await page.setViewportSize({width: 1440, height: 800});
    await page.waitForTimeout(200);
    for (const [overflows, tabindex] of await overflowing()) expect(tabindex).toBe(overflows ? '0' : null);
    await close();
  });
});
