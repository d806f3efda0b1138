import {readdirSync} from 'node:fs';
import {pathToFileURL} from 'node:url';
import type {Browser, Page} from 'playwright';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {DOCUMENTS} from '../../../site/guides';
import {launchChromium} from '../../support/chromium';
import {openSite} from './sitePage';
import {SITE, type SiteServer, serveSite} from './siteServer';

/** Every file of the built site. */
const BUILT = new Set(readdirSync(SITE, {recursive: true, encoding: 'utf8'}));

let server: SiteServer;
let browser: Browser;
beforeAll(async () => {
  [server, browser] = await Promise.all([serveSite(), launchChromium()]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

const heading = (page: Page) => page.locator('main h1').innerText();

/** The pages of the navigation, in order: their addresses from the folder of the site. */
async function navigation(page: Page, root: string): Promise<string[]> {
  const links = page.locator('#tsd-nav-container a[href]');
  await links.first().waitFor({state: 'attached'});
  const all = await links.evaluateAll((found) => found.map((link) => (link as HTMLAnchorElement).href));
  return all.map((href) => href.slice(root.length));
}

describe.each([
  ['below a sub-path', () => server.url],
  ['from file://', () => pathToFileURL(SITE).href],
])('The site %s', (_, rootOf) => {
  it('leads from the start page to a guide, to the next one, and to the API', async () => {
    const {page, errors, foreign, close} = await openSite(browser, `${rootOf()}index.html`);
    expect(await heading(page)).toBe('ohem-tfjs');
    await page.getByRole('link', {name: 'Get started'}).click();
    expect(await heading(page)).toBe('Getting started');
    await page.getByRole('link', {name: 'Next Concepts'}).click();
    expect(await heading(page)).toBe('Concepts');
    await page.getByRole('navigation', {name: 'Places'}).getByRole('link', {name: 'API'}).click();
    expect(await heading(page)).toBe('API reference');
    await page.getByRole('link', {name: 'ohem-tfjs/selectors'}).click();
    await page.locator('main').getByRole('link', {name: 'topK', exact: true}).click();
    expect(await heading(page)).toMatch(/^topK/);
    await page.getByRole('link', {name: 'ohem-tfjs', exact: true}).first().click();
    expect(await heading(page)).toBe('ohem-tfjs');
    expect({errors, foreign}).toEqual({errors: [], foreign: []});
    await close();
  });

  it('lists the guides in reading order, then the API, and each page of the list exists', async () => {
    const {page, close} = await openSite(browser, `${rootOf()}guides/concepts.html`);
    const pages = await navigation(page, rootOf());
    const guides = DOCUMENTS.map((path) => {
      const file = path.replace(/\.md$/, '.html').toLowerCase();
      return path.startsWith('docs/') ? file.replace('docs/', 'guides/') : `project/${file}`;
    });
    expect(pages.slice(0, guides.length)).toEqual(guides);
    const api = pages.slice(guides.length);
    expect(api.length).toBeGreaterThan(100);
    expect(api).toContain('api/functions/selectors.topK.html');
    expect(pages.filter((path) => !BUILT.has(path))).toEqual([]);
    await close();
  });

  it('finds functions by name and guides by what they say', async () => {
    const {page, foreign, close} = await openSite(browser, `${rootOf()}guides/concepts.html`);
    const results = page.locator('#tsd-search-results [role="option"]');
    await page.keyboard.press('/');
    await page.getByRole('combobox', {name: 'Search'}).fill('topK');
    await results.first().waitFor();
    const found = await results.allInnerTexts();
    expect(found[0]?.trim()).toBe('selectors.topK');
    expect(new Set(found).size).toBe(found.length);
    expect(found.filter((text) => text.includes('ohem-tfjs.'))).toEqual([]);
    await page.getByRole('combobox', {name: 'Search'}).fill('autoencoder');
    await results.filter({hasText: 'FAQ'}).first().click();
    await page.waitForURL(/faq\.html/);
    expect(foreign).toEqual([]);
    await close();
  });
});

describe('The live page', () => {
  it('is reached from the start page, and leads back', async () => {
    const {page, errors, foreign, close} = await openSite(browser, `${server.url}index.html`);
    await page.getByRole('link', {name: 'Watch it train, live'}).click();
    await page.waitForURL(/\/live\/index\.html/);
    expect(await page.locator('h1').innerText()).not.toBe('ohem-tfjs');
    await page.getByRole('navigation', {name: 'Site'}).getByRole('link', {name: 'Guides'}).click();
    expect(await heading(page)).toBe('Getting started');
    expect({errors, foreign}).toEqual({errors: [], foreign: []});
    await close();
  });
});
