/**
 * @file Builds and runs each example, the README's file for a bundler, and the pages that documents
 *   show, in a folder of its own against the packed library: `npm run examples`. Takes two minutes
 *   of processor time, half of it for the six installations. Needs a registry and a Chromium.
 */
import assert from 'node:assert/strict';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Browser, Page} from 'playwright';
import {launchChromium} from '../support/chromium';
import {completeFiles} from '../support/completeFiles';
import {ROOT} from '../support/sources';
import {cdn} from './support/cdn';
import {checkDocumentPages, checkHook} from './support/documentPages';
import {copyTracked, inFolder, install, pack, run} from './support/packed';
import {openPage} from './support/trainedPage';

/** The least percentage of the rare points that a mined run finds in each example. */
const ENOUGH = 80;

const found = (text: string, of: RegExp) => Number(of.exec(text)?.[1] ?? assert.fail(`no ${of} in:\n${text}`));

/** Holds the output of the run in Node to what mining buys there. */
function checkMinimal(project: string): void {
  const output = run(project, 'node', ['index.js']);
  const mined = found(output, /hardest 64, step 200: (\d+) % of the rare/);
  const plain = found(output, /all rows, step 200: (\d+) % of the rare/);
  assert.ok(mined >= ENOUGH && mined > plain, output);
}

interface Expected {
  until: RegExp;
  of: RegExp;
  prepare?: (page: Page) => Promise<unknown>;
  act?: (page: Page) => Promise<unknown>;
}

async function checkPage(browser: Browser, folder: string, {of, ...opening}: Expected): Promise<void> {
  const {text, errors} = await openPage(browser, folder, opening);
  assert.ok(found(text, of) >= ENOUGH, text);
  assert.deepEqual(errors, [], 'errors in the console');
}

async function checkScriptTag(browser: Browser, project: string): Promise<void> {
  await checkPage(browser, project, {until: /Trained/, of: /Trained: (\d+) %/, prepare: cdn(project)});
  for (const [name, said] of [
    ['@tensorflow/tfjs', 'TensorFlow.js did not load'],
    ['ohem-tfjs', 'ohem-tfjs did not load'],
  ] as const) {
    const {text} = await openPage(browser, project, {until: /did not load/, prepare: cdn(project, name)});
    assert.match(text, new RegExp(said));
  }
}

/** Checks that a project without the library fails, and that the error names the library. */
function checkNeedsLibrary(project: string, command: string, args: readonly string[]): void {
  rmSync(join(project, 'node_modules/ohem-tfjs'), {recursive: true});
  assert.throws(() => run(project, command, args), /Cannot find (?:package|module) 'ohem-tfjs'/);
}

const EXAMPLES: Record<string, (project: string, browser: Browser) => Promise<void>> = {
  async minimal(project) {
    checkMinimal(project);
    checkNeedsLibrary(project, 'node', ['index.js']);
  },
  'script-tag': (project, browser) => checkScriptTag(browser, project),
  async vite(project, browser) {
    run(project, 'npm', ['run', 'build']);
    const of = /Trained.*hardest 64: (\d+) %/;
    await checkPage(browser, join(project, 'dist'), {until: /Trained/, of});
    checkNeedsLibrary(project, 'npm', ['run', 'build']);
  },
  async react(project, browser) {
    run(project, 'npm', ['run', 'build']);
    const act = (page: Page) => page.getByRole('button', {name: 'Train'}).click();
    await checkPage(browser, join(project, 'dist'), {until: /^trained: /, of: /trained: (\d+) %/, act});
    await checkHook(project, browser);
    checkNeedsLibrary(project, 'npm', ['run', 'build']);
  },
};

/** Makes a project of the README's file for a bundler, by its install line, and builds it. */
async function checkBundled(project: string, tarball: string, browser: Browser): Promise<void> {
  const {text, packages} = completeFiles().find(({name}) => name === 'main.ts') ?? assert.fail('no main.ts');
  writeFileSync(join(project, 'main.ts'), text);
  const page = '<link rel="icon" href="data:,"><body><script type="module" src="main.ts"></script></body>';
  writeFileSync(join(project, 'index.html'), `<!doctype html>${page}`);
  install(project, packages, tarball);
  run(project, 'npx', ['vite', 'build']);
  await checkPage(browser, join(project, 'dist'), {until: /Trained/, of: /Trained: (\d+) %/});
}

await inFolder('examples', async (folder) => {
  const tarball = pack(folder);
  const browser = await launchChromium();
  const timed = async (name: string, check: (project: string) => Promise<void>) => {
    const started = performance.now();
    const project = join(folder, name.replaceAll('/', '-'));
    mkdirSync(project);
    await check(project);
    console.log(`ok ${name}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
  };
  try {
    for (const [name, check] of Object.entries(EXAMPLES)) {
      await timed(`examples/${name}`, async (project) => {
        copyTracked(join(ROOT, 'examples', name), project);
        install(project, ['ohem-tfjs'], tarball);
        await check(project, browser);
      });
    }
    await timed('README.md, main.ts', (project) => checkBundled(project, tarball, browser));
    await timed('the pages of the documents', (project) => checkDocumentPages(project, tarball, browser));
  } finally {
    await browser.close();
  }
});
