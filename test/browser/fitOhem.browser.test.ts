import {setBackend} from '@tensorflow/tfjs-core';
import {callbacks as layersCallbacks} from '@tensorflow/tfjs-layers';
import {show} from '@tensorflow/tfjs-vis';
import {fitOhem, resumeTraining, saveTraining, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterEach, beforeAll, describe, expect, it} from 'vitest';
import {page} from 'vitest/browser';
import {read} from '../support/read';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {describeOnBackends} from './support/backends';

enableWasmTraining();

const weightsOf = (model: ReturnType<typeof resumableModel>) =>
  Promise.all(model.getWeights().map((weight) => read(() => weight)));

describeOnBackends('A training saved in IndexedDB', () => {
  it('resumes bit for bit', async () => {
    const {xs, ys} = resumableData();
    const whole = resumableModel();
    let saved = 0;
    await fitOhem(whole, xs, ys, {
      ...RESUMABLE(),
      checkpointEvery: 3,
      checkpoint: async (state) => {
        if (++saved === 3) await saveTraining('indexeddb://training', whole, state);
      },
    });
    const model = resumableModel();
    const initialState = await resumeTraining('indexeddb://training', model);
    const {epoch} = await fitOhem(model, xs, ys, {...RESUMABLE(), initialState});
    expect(epoch.length).toBeGreaterThan(0);
    expect(await weightsOf(model)).toEqual(await weightsOf(whole));
  });
});

/** Whether something is drawn in colour: axes and their labels are grey. */
function hasLine(canvas: HTMLCanvasElement): boolean {
  const pixels = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  for (let i = 0; i < pixels.length; i += 4) {
    if ((pixels[i + 2] as number) - (pixels[i] as number) > 40) return true;
  }
  return false;
}

describe('tfvis.show.fitCallbacks', () => {
  beforeAll(async () => {
    await setBackend('wasm');
  });
  const container = document.createElement('div');
  document.body.append(container);
  afterEach(() => container.replaceChildren());

  it('draws a line chart of each metric of fitOhem, beside other callbacks', async () => {
    const {xs, ys} = resumableData();
    const model = resumableModel();
    model.compile({optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy']});
    const metrics = ['loss', 'batchLoss', 'kept', 'acc', 'val_loss', 'val_acc'];
    const {history} = await fitOhem(model, xs, ys, {
      select: topK({ratio: 0.5}),
      epochs: 6,
      seed: 1,
      verbose: 0,
      validationData: [xs, ys],
      callbacks: [
        show.fitCallbacks(container, metrics, {callbacks: ['onEpochEnd']}),
        layersCallbacks.earlyStopping({patience: 9}),
      ],
    });
    expect(Object.keys(history)).toEqual(expect.arrayContaining(metrics));
    // With the validation in the chart of what it belongs to.
    await expect.poll(() => [...container.querySelectorAll('canvas')].map(hasLine)).toEqual([true, true, true, true]);
    await page.elementLocator(container).screenshot({path: '../../test-artifacts/tfvis-fitCallbacks.png'});
  });
});
