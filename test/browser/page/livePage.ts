import type {Browser, BrowserContextOptions, Page} from 'playwright';

/** Few and small enough that every backend takes a step in a moment. */
export const QUICK = '?runs=32/16,32/16-random&steps=600&digits=240';
/** The same, for GPUs that are rendered in software. */
export const QUICKEST = '?runs=8/4&steps=600&digits=60';

/** The page as somebody sees and uses it. */
export interface LivePage {
  page: Page;
  /** Errors that were not shown to the user: uncaught errors and refusals of the browser. */
  errors: string[];
  press(button: 'Start' | 'Pause' | 'Resume' | 'Step' | 'Reset' | 'Next seed' | 'Copy link'): Promise<void>;
  /** Steps of each run, as the table says. */
  steps(): Promise<number[]>;
  waitForStep(step: number): Promise<void>;
  /** Waits until the progress line says this. */
  waitForSaid(text: string | RegExp): Promise<void>;
  waitForTrouble(text: string | RegExp): Promise<string>;
  chooseBackend(name: string): Promise<void>;
  /** Pixels of the two plots that are not background: what is drawn of the curves. */
  curves(): Promise<string[]>;
  close(): Promise<void>;
}

/** Opens the page and waits until it can start. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<LivePage> {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(100_000);
  const errors: string[] = [];
  page.on('pageerror', ({message}) => errors.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(url);
  await page.locator('#start:enabled').waitFor();
  const said = page.locator('#said');
  const trouble = page.getByRole('alert');
  return {
    page,
    errors,
    press: (name) => page.getByRole('button', {name, exact: true}).click(),
    steps: async () => (await page.locator('#runs-table td:nth-child(2)').allTextContents()).map(Number),
    async waitForStep(step) {
      await page.waitForFunction((least) => {
        const cells = document.querySelectorAll('#runs-table td:nth-child(2)');
        return [...cells].every(({textContent}) => Number(textContent) >= least);
      }, step);
    },
    waitForSaid: (text) => said.filter({hasText: text}).waitFor(),
    async waitForTrouble(text) {
      await trouble.filter({hasText: text}).waitFor();
      return trouble.locator('p').innerText();
    },
    chooseBackend: (name) => page.getByRole('radio', {name}).check(),
    // A curve that is drawn on changes the picture; the axes alone do not.
    curves: () =>
      page
        .locator('.plot canvas')
        .evaluateAll((canvases) => canvases.map((canvas) => (canvas as HTMLCanvasElement).toDataURL())),
    close: () => context.close(),
  };
}
