/**
 * @file Opens a folder of static files in a browser, and waits for the page to say that it has
 *   trained.
 */
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {extname, join} from 'node:path';
import type {Browser, Page} from 'playwright';

const TYPES: Record<string, string> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
};

/** How long a page may take to train. */
const PATIENCE_MS = 120_000;

/** Serves a folder while a function uses the URL of it. */
async function served<Result>(folder: string, use: (url: string) => Promise<Result>): Promise<Result> {
  const server = createServer(async ({url = '/'}, response) => {
    const {pathname} = new URL(url, 'http://localhost');
    const file = pathname === '/' ? 'index.html' : pathname;
    if (file === '/favicon.ico') return response.writeHead(204).end();
    const body = await readFile(join(folder, file)).catch(() => undefined);
    response.writeHead(body ? 200 : 404, {'content-type': TYPES[extname(file)] ?? 'application/octet-stream'});
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  try {
    return await use(`http://localhost:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

interface Opening {
  /** The text to wait for. */
  until: RegExp;
  /** Called before the page loads. */
  prepare?: (page: Page) => Promise<unknown>;
  /** Called when the page has loaded. */
  act?: (page: Page) => Promise<unknown>;
}

/**
 * Opens a page and returns its text once it has what is waited for.
 *
 * @return The text, and what the page wrote to the console as errors.
 * @throws Error with text and errors of the page, if the text does not come.
 */
export function openPage(browser: Browser, folder: string, {until, prepare, act}: Opening) {
  return served(folder, async (url) => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', (error) => errors.push(error.message));
    try {
      await prepare?.(page);
      await page.goto(url);
      await act?.(page);
      await page.getByText(until).first().waitFor({timeout: PATIENCE_MS});
      return {text: await page.locator('body').innerText(), errors};
    } catch (error) {
      const text = await page.locator('body').innerText();
      throw new Error(`${error}\nThe page says:\n${text}\nIts console has:\n${errors.join('\n')}`);
    } finally {
      await page.close();
    }
  });
}
