import {existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {type Browser, chromium} from 'playwright';

/** As Debian, Ubuntu, Fedora and Arch name Chromium and what is built from it. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const MAC = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * What the browser is started with: WebGPU without a GPU is behind a flag, and nothing is to call
 * home.
 */
export const CHROMIUM_FLAGS = [
  '--enable-unsafe-webgpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * Finds a Chromium: the one that the environment names in `CHROMIUM`, one that is installed, or one
 * that Playwright has downloaded.
 *
 * @throws Error that says how to get one.
 */
export function findChromium(env: NodeJS.ProcessEnv = process.env): string {
  if (env.CHROMIUM) {
    if (existsSync(env.CHROMIUM)) return env.CHROMIUM;
    throw new Error(
      `findChromium: CHROMIUM must be the path of a Chromium, got '${env.CHROMIUM}', which is not there.`,
    );
  }
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const installed = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = [...installed, ...MAC, chromium.executablePath()].find((path) => existsSync(path));
  if (found) return found;
  throw new Error(
    `findChromium: PATH must have one of ${NAMES.join(', ')}, got none of them. ` +
      'Install it (on Debian and Ubuntu: apt-get install chromium; elsewhere: npx playwright install chromium), or name one in CHROMIUM.',
  );
}

/** Starts that Chromium without a window. */
export const launchChromium = (flags: readonly string[] = []): Promise<Browser> =>
  chromium.launch({
    executablePath: findChromium(),
    args: [...CHROMIUM_FLAGS, ...flags],
    chromiumSandbox: false,
  });
