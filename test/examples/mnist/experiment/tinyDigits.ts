import {drawDigits} from '../../../../examples/mnist/data/drawnDigits';
import type {Settings} from '../../../../examples/mnist/experiment/results';
import type {TrainAndTest} from '../../../../examples/mnist/experiment/trainRun';

/** Few enough that the plain cpu backend trains on them in a moment. */
export const tinyDigits = (): TrainAndTest => ({
  train: drawDigits({count: 40, seed: 1}),
  test: drawDigits({count: 10, seed: 2}),
});

export const tinySettings = (settings: Partial<Settings> = {}): Settings => ({
  steps: 6,
  learningRate: 0.01,
  seed: 1,
  backend: 'cpu',
  runs: ['16/8'],
  ...settings,
});
