import {describe, expect, it} from 'vitest';
import type {Settings} from '../../../../../examples/mnist/experiment/results';
import {settingsSummary} from '../../../../../examples/mnist/web/page/settingsSummary';

const settings: Settings = {runs: ['8/4', '8/4 random'], steps: 3000, learningRate: 0.01, seed: 7, backend: 'wasm'};

describe('settingsSummary', () => {
  it.each([
    [{kind: 'drawn', count: 6000}, '6,000 drawn digits'],
    [{kind: 'download'}, 'MNIST'],
    [{kind: 'files', files: []}, 'your files'],
  ] as const)('names runs, numbers, backend, and digits of %j', (data, digits) => {
    const request = data.kind === 'files' ? {...data, files: []} : data;
    expect(settingsSummary(settings, request)).toBe(
      `8/4, 8/4 random · 3,000 steps · rate 0.01 · ${digits} · WebAssembly · seed 7`,
    );
  });
});
