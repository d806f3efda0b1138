import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {FLIPPED_SHARE, flipLabels, ROWS, shareFlipped, watchTraining} from '../../bench/flippedLabels';
import {loadDigits} from '../../examples/mnist/data/load';
import '../support/backends';
import {describeWithMnist} from '../support/mnist';

describeWithMnist('A ledger of 10,000 digits of MNIST, 2 % of them with a wrong label,', (folder) => {
  let restoreKernels: () => void;
  beforeAll(async () => {
    await setBackend('wasm');
    restoreKernels = enableWasmTraining();
  });
  afterAll(() => restoreKernels());

  it('suspects mostly those: at least 70 % of its first 200 suspects after five epochs', async () => {
    const {train} = await loadDigits({folder});
    const {digits, flipped} = flipLabels(train, 1);
    expect(flipped.size).toBe(200);
    let suspects = new Int32Array();
    for await (const ledger of watchTraining(digits, {seed: 1, epochs: 5})) {
      suspects = ledger.suspects(ROWS * FLIPPED_SHARE) as typeof suspects;
    }
    expect(suspects).toHaveLength(200);
    expect(shareFlipped(suspects, flipped)).toBeGreaterThanOrEqual(0.7);
  });
});
