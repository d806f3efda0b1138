import {all, type KeepSchedule, randomK, type Selector, scheduled, topK, trimmedTopK} from 'ohem-tfjs';
import {ROWS} from '../../bench/flippedLabels';
import {BATCH_SIZE} from '../../bench/trainDigits';

/** A rule as it is typed, with `seed` for the seed of the run. */
export type NoiseRule = [name: string, select: (seed: number) => Selector];

/** Half of a batch of 100. */
export const HALVES: NoiseRule[] = [
  ['all()', all],
  ['randomK({k: 50, seed})', (seed) => randomK({k: 50, seed})],
  ['topK({k: 50})', () => topK({k: 50})],
  ['trimmedTopK({k: 50, skip: 20})', () => trimmedTopK({k: 50, skip: 20})],
];

/** All rows for an epoch, then half of them. */
const afterAnEpoch: KeepSchedule<null> = {
  init: () => null,
  ratio: (_, {step}) => (step < ROWS / BATCH_SIZE ? 1 : 0.5),
  next: () => null,
};

/** More sizes and skips, for one share of wrong labels. */
export const SIZES_AND_SKIPS: NoiseRule[] = [
  ['all()', all],
  ['randomK({k: 75, seed})', (seed) => randomK({k: 75, seed})],
  ['topK({k: 75})', () => topK({k: 75})],
  ['trimmedTopK({k: 75, skip: 20})', () => trimmedTopK({k: 75, skip: 20})],
  ['randomK({k: 50, seed})', (seed) => randomK({k: 50, seed})],
  ['topK({k: 50})', () => topK({k: 50})],
  ['trimmedTopK({k: 50, skip: 10})', () => trimmedTopK({k: 50, skip: 10})],
  ['trimmedTopK({k: 50, skip: 20})', () => trimmedTopK({k: 50, skip: 20})],
  ['trimmedTopK({k: 50, skip: 30})', () => trimmedTopK({k: 50, skip: 30})],
  [
    'all(), then trimmedTopK({k: 50, skip: 20})',
    () => scheduled(({ratio}) => (ratio < 1 ? trimmedTopK({ratio, skip: 20}) : all()), afterAnEpoch),
  ],
];
