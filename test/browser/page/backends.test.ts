import type {Browser} from 'playwright';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {launchChromium} from '../../support/chromium';
import {type LivePage, openPage, QUICKEST} from './livePage';
import {type ServedPage, servePage} from './servePage';

let server: ServedPage;
let browser: Browser;
let live: LivePage;
beforeAll(async () => {
  [server, browser] = await Promise.all([servePage(), launchChromium()]);
});
afterEach(() => live.close());
afterAll(async () => {
  await browser.close();
  await server.close();
});

const open = async (query: string, url = server.url) => {
  live = await openPage(browser, url + query);
  return live;
};

/** Says where each run is, at the end of its curve: a run that began anew would be at 0. */
async function goesOnFrom(steps: number[], backend: string): Promise<void> {
  await live.waitForSaid(new RegExp(`on ${backend}`));
  await live.waitForStep(Math.max(...steps) + 3);
}

/** Takes the GPU away during training. */
const lose = (call: string) => live.page.workers()[0]?.evaluate(`void globalThis._tfengine.backend.${call}`);

describe('the backends of the page', () => {
  it('are reported when the address names another', async () => {
    const {waitForSaid, errors} = await open(`${QUICKEST}&backend=cuda`);
    await waitForSaid(/^There is no backend cuda here\. Ready\. 1 run, on \w+\.$/);
    expect(errors).toEqual([]);
  });

  it('are moved between in the middle of a training run, and the curves are kept', async () => {
    const {press, waitForStep, steps, curves, chooseBackend, errors} = await open(`${QUICKEST}&backend=wasm`);
    await press('Start');
    await waitForStep(8);
    for (const [name, backend] of [
      ['WebGL', 'webgl'],
      ['CPU', 'cpu'],
      ['WebAssembly', 'wasm'],
    ] as const) {
      const before = await steps();
      await chooseBackend(name);
      await goesOnFrom(before, backend);
      // A run that began anew cannot have got so far.
      expect(Math.min(...(await steps()))).toBeGreaterThan(Math.min(...before));
    }
    expect((await curves()).length).toBe(2);
    expect(errors).toEqual([]);
  });

  it('are replaced when the wasm files are not there', async () => {
    const {press, waitForTrouble, waitForStep, page} = await open(`${QUICKEST}&backend=wasm`, server.urlWithoutWasm);
    await press('Start');
    const told = await waitForTrouble('.wasm');
    expect(told).toMatch(
      /^tfjs-backend-wasm-simd.*\.wasm could not be loaded: the server answered 404\. Put the \.wasm files beside/,
    );
    expect(told).toMatch(/Training continues on (webgl|webgpu|cpu)/);
    await waitForStep(2);
    expect(await page.getByRole('radio', {name: 'WebAssembly'}).isDisabled()).toBe(true);
  });

  it('are replaced when the GPU is lost during training, and the curves are kept', async () => {
    const {press, waitForStep, waitForTrouble, waitForSaid, steps, page} = await open(`${QUICKEST}&backend=webgl`);
    await press('Start');
    await waitForStep(2);
    // So that the copy of the weights is as far as the curves.
    await press('Pause');
    await waitForSaid(/^Paused/);
    const before = await steps();
    await press('Resume');
    await lose('gpgpu.gl.getExtension("WEBGL_lose_context").loseContext()');
    expect(await waitForTrouble('The browser took the GPU away from WebGL')).toContain('Training continues on wasm');
    await goesOnFrom(before, 'wasm');
    expect(Math.min(...(await steps()))).toBeGreaterThan(Math.min(...before));
    expect(await page.getByRole('radio', {name: 'WebGL'}).isDisabled()).toBe(true);
  });

  it('are replaced when the GPU is lost while it is paused', async () => {
    const {press, waitForSaid, waitForTrouble, steps} = await open(`${QUICKEST}&backend=webgpu`);
    await press('Step');
    await waitForSaid('Paused at step 1');
    await lose('device.destroy()');
    await waitForTrouble('The browser took the GPU away from WebGPU');
    await waitForSaid(/^Paused/);
    expect(await steps()).toEqual([1]);
    await press('Resume');
    await goesOnFrom([1], 'wasm');
  });

  it('leave the page usable when the worker breaks down', async () => {
    const {press, waitForStep, waitForTrouble, waitForSaid, steps, page} = await open(QUICKEST);
    await press('Start');
    await waitForStep(2);
    await page.workers()[0]?.evaluate('void setTimeout(() => { throw new Error("out of the blue"); })');
    await waitForTrouble('out of the blue');
    expect(Math.min(...(await steps()))).toBeGreaterThanOrEqual(2);
    await press('Reset');
    await waitForSaid('Ready');
    await press('Start');
    await waitForStep(1);
  });
});

describe('a browser without a GPU', () => {
  let bare: Browser;
  beforeAll(async () => {
    bare = await launchChromium(['--disable-gpu', '--disable-3d-apis', '--disable-software-rasterizer']);
  });
  afterAll(() => bare.close());

  it('says why WebGPU and WebGL cannot be chosen, and trains on wasm', async () => {
    live = await openPage(bare, server.url + QUICKEST);
    const {page, press, waitForStep} = live;
    for (const [name, reason] of [
      ['WebGPU', /WebGPU finds no GPU|no WebGPU here/],
      ['WebGL', /gives no WebGL 2\. Switch hardware acceleration on/],
    ] as const) {
      const choice = page.getByRole('radio', {name});
      expect(await choice.isDisabled()).toBe(true);
      expect(await page.locator('label.off', {has: choice}).innerText()).toMatch(reason);
    }
    expect(await page.getByRole('radio', {name: 'WebAssembly'}).isChecked()).toBe(true);
    await press('Start');
    await waitForStep(3);
  });
});
