import type {Page} from 'playwright';

/** A kind of page, by one that has most of what such pages can have. */
export interface Template {
  readonly name: string;
  /** From the folder of the site. */
  readonly path: string;
  /** Brings the page into the state that is meant. */
  readonly prepare?: (page: Page) => Promise<void>;
  /** If the state exists on small or on large screens only. */
  readonly only?: 'small' | 'large';
}

async function openSearch(page: Page): Promise<void> {
  await page.getByRole('button', {name: 'Search'}).click();
  await page.getByRole('combobox', {name: 'Search'}).fill('topK');
  await page.locator('#tsd-search-results [role="option"]').first().waitFor();
  await page.keyboard.press('ArrowDown');
}

const openMenu = async (page: Page): Promise<void> => {
  await page.getByRole('button', {name: 'Menu'}).click();
  await page.locator('#tsd-nav-container a').first().waitFor();
};

export const TEMPLATES: readonly Template[] = [
  {name: 'start', path: 'index.html'},
  {name: 'guide', path: 'guides/getting-started.html'},
  {name: 'guide-tables', path: 'guides/selectors.html'},
  {name: 'results', path: 'guides/results.html'},
  {name: 'changelog', path: 'project/changelog.html'},
  {name: 'api-index', path: 'api.html'},
  {name: 'api-module', path: 'api/modules/losses.html'},
  {name: 'api-all', path: 'api/modules/ohem-tfjs.html'},
  {name: 'api-function', path: 'api/functions/selectors.topK.html'},
  {name: 'api-overloads', path: 'api/functions/trainers.ohemStep.html'},
  {name: 'api-interface', path: 'api/interfaces/trainers.OhemStepOptions.html'},
  {name: 'api-type', path: 'api/types/selectors.Keep.html'},
  {name: 'api-variable', path: 'api/variables/insight.miningLedger.html'},
  {name: 'search', path: 'guides/concepts.html', prepare: openSearch},
  {name: 'menu', path: 'guides/concepts.html', prepare: openMenu, only: 'small'},
  // Its own tests look at it in more of its states.
  {name: 'live', path: 'live/index.html'},
];
