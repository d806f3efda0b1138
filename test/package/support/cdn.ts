/** @file A CDN without a network: pages get installed files by the URLs of jsdelivr. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Page} from 'playwright';

/** `@scope/name@version/path`, as in `https://cdn.jsdelivr.net/npm/…`; the path may be omitted. */
const PARTS = /\/npm\/((?:@[^/]+\/)?[^/@]+)@[^/]+(?:\/(.+))?$/;

/**
 * Answers requests to jsdelivr by the packages that a project has installed.
 *
 * @param missing  The package whose requests fail.
 */
export const cdn = (project: string, missing?: string) => (page: Page) =>
  page.route('https://cdn.jsdelivr.net/npm/**', (route) => {
    const [, name = '', path] = PARTS.exec(route.request().url()) ?? [];
    if (name === missing) return route.abort('internetdisconnected');
    const folder = join(project, 'node_modules', name);
    const file = path ?? JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).jsdelivr;
    const contentType = file.endsWith('.wasm') ? 'application/wasm' : 'text/javascript';
    return route.fulfill({
      path: join(folder, file),
      headers: {'access-control-allow-origin': '*', 'content-type': contentType},
    });
  });
