import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';

// A file of its own: no backend has been imported.
it('enableWasmTraining says so where the wasm backend has not been imported', () => {
  expect(() => enableWasmTraining()).toThrow(
    new TypeError(
      "enableWasmTraining: the wasm backend must be imported first, got none with the kernel Cast. Add import '@tensorflow/tfjs-backend-wasm', or its script after that of tfjs.",
    ),
  );
});
