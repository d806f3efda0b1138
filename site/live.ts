import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {build, type Plugin} from 'vite';

/** Links of the live page to the rest of the site. */
const WAY_BACK = [
  '<nav class="way-back" aria-label="Site">',
  '<a href="../index.html">ohem-tfjs</a>',
  '<a href="../guides/getting-started.html">Guides</a>',
  '<a href="../api.html">API</a>',
  '<a href="../guides/results.html">Results</a>',
  '</nav>',
].join('\n  ');

/**
 * Builds the live page with links to the rest of the site.
 *
 * @param root  the folder of the repository.
 * @param out   the folder of the page.
 */
export async function buildLive(root: string, out: string): Promise<void> {
  await build({
    configFile: join(root, 'examples/mnist/web/vite.config.ts'),
    logLevel: 'warn',
    build: {outDir: out, emptyOutDir: true},
    plugins: [wayBack(readFileSync(join(root, 'site/assets/live.css'), 'utf8'))],
  });
}

function wayBack(css: string): Plugin {
  return {
    name: 'way-back',
    generateBundle() {
      this.emitFile({type: 'asset', fileName: 'assets/way-back.css', source: css});
    },
    transformIndexHtml(html) {
      return {
        html: withWayBack(html),
        tags: [{tag: 'link', attrs: {rel: 'stylesheet', href: './assets/way-back.css'}, injectTo: 'head'}],
      };
    },
  };
}

/**
 * Puts the links before the header of the page, behind its skip link.
 *
 * @throws Error if the page has no header.
 */
export function withWayBack(html: string): string {
  if (!html.includes('<header')) {
    throw new Error('site: the live page must have a <header>, before which the way back stands, got none.');
  }
  return html.replace('<header', `${WAY_BACK}\n<header`);
}
