import type {Browser, BrowserContextOptions, Page} from 'playwright';

/** A page of the site, as somebody without any other host sees it. */
export interface SitePage {
  page: Page;
  /** Errors of scripts and of the browser. */
  errors: string[];
  /** Addresses of other hosts that the page tried to load; they are refused. */
  foreign: string[];
  close(): Promise<void>;
}

/** Opens an address, and refuses every request to another origin. */
export async function openSite(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<SitePage> {
  const context = await browser.newContext({viewport: {width: 1440, height: 900}, reducedMotion: 'reduce', ...options});
  const {origin, protocol} = new URL(url);
  const errors: string[] = [];
  const foreign: string[] = [];
  await context.route('**', (route) => {
    const asked = new URL(route.request().url());
    if (asked.protocol === 'data:' || asked.protocol === 'blob:') return route.continue();
    if (protocol === 'file:' ? asked.protocol === 'file:' : asked.origin === origin) return route.continue();
    foreign.push(asked.href);
    return route.abort();
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', ({message}) => errors.push(message));
  page.on('console', (message) => {
    // On file:// Chromium refuses the icons of another file. TypeDoc then takes them from a script.
    if (message.type() === 'error' && !/icons\.svg/.test(message.text())) errors.push(message.text());
  });
  await page.goto(url);
  return {page, errors, foreign, close: () => context.close()};
}
