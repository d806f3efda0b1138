import type {Browser} from 'playwright';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {drawings} from '../../../examples/mnist/report/drawings';
import {accuracyAndLossFigure, lossHistogramFigure} from '../../../examples/mnist/report/figures';
import {reportHtml} from '../../../examples/mnist/report/html';
import {exampleResults} from '../../examples/mnist/report/exampleResults';
import {launchChromium} from '../../support/chromium';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

it('has a table that needs no scrolling on screens from 400 pixels on', async () => {
  const results = exampleResults({steps: 60});
  const accuracyAndLoss = await drawings(accuracyAndLossFigure, results);
  const lossHistograms = await drawings(lossHistogramFigure, results);
  const page = await browser.newPage();
  await page.setContent(reportHtml(results, {accuracyAndLoss, lossHistograms}));
  for (const width of [400, 480, 577, 640, 705, 737, 800, 1440]) {
    await page.setViewportSize({width, height: 900});
    const [needed, there, whole] = await page.evaluate(() => {
      const region = document.querySelector('.scroll') as Element;
      return [region.scrollWidth, region.clientWidth, document.documentElement.scrollWidth];
    });
    expect([width, needed]).toEqual([width, there]);
    expect(whole).toBe(width);
  }
});
