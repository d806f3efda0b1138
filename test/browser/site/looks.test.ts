import {mkdir, readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import type {AxeResults, RunOptions} from 'axe-core';
import type {Browser, Page} from 'playwright';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {ROOT} from '../../support/sources';
import {openSite} from './sitePage';
import {type SiteServer, serveSite} from './siteServer';
import {TEMPLATES} from './templates';

/** Pictures to look at; nothing compares them. */
const ARTIFACTS = `${ROOT}test-artifacts/site/`;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WIDTHS = {small: 360, large: 1440};

let server: SiteServer;
let browser: Browser;
let axe: string;
beforeAll(async () => {
  await mkdir(ARTIFACTS, {recursive: true});
  [server, browser, axe] = await Promise.all([serveSite(), launchChromium(), readFile(AXE, 'utf8')]);
});
afterAll(async () => {
  await browser.close();
  await server.close();
});

/** Every violation that axe finds. */
async function violations(page: Page, options: RunOptions): Promise<string[]> {
  const {violations: found} = await page.evaluate(
    (chosen) => (globalThis as unknown as {axe: {run(options: RunOptions): Promise<AxeResults>}}).axe.run(chosen),
    options,
  );
  return found.map(({id, nodes}) => `${id}: ${nodes.map(({html}) => html.slice(0, 160)).join('\n  ')}`);
}

const CASES = TEMPLATES.flatMap((template) =>
  (['large', 'small'] as const)
    .filter((size) => (template.only ?? size) === size)
    .map((size) => ({...template, size, width: WIDTHS[size]})),
);

describe.each(CASES)('$name at $width', ({name, path, prepare, size, width}) => {
  it.each(['light', 'dark'] as const)('has no violation for axe and fits its width, in %s', async (colorScheme) => {
    const {page, errors, foreign, close} = await openSite(browser, server.url + path, {
      viewport: {width, height: 900},
      colorScheme,
    });
    await prepare?.(page);
    await page.evaluate(axe);
    // Only colours depend on the theme.
    const isFirst = (size === 'large') === (colorScheme === 'light');
    expect(await violations(page, isFirst ? {} : {runOnly: ['color-contrast']})).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await page.screenshot({path: `${ARTIFACTS}${name}-${width}-${colorScheme}.png`});
    expect({errors, foreign}).toEqual({errors: [], foreign: []});
    await close();
  });
});
