/** @file A line for each sampler with options: what the contract suites try. */
import {
  earlyStopped,
  easiestFirst,
  hardestRows,
  infoBatch,
  kakurenbo,
  randomSubset,
  type Sampler,
  selectiveBackprop,
  stale,
} from 'ohem-tfjs/samplers';

export interface SamplerCase {
  /** As it is exported. */
  member: string;
  options: string;
  build: () => Sampler;
  /** Whether it goes by chance alone: it may leave out rows that were never seen. */
  looksAtNoLoss?: true;
  /** The sampler within it, in whose name scores and sizes are refused. */
  inner?: string;
}

const LABELS = Array.from({length: 40}, (_, row) => row % 3);

/** All of them for data sets of 40 rows. */
export const SAMPLER_CASES: readonly SamplerCase[] = [
  {member: 'earlyStopped', options: '', build: () => earlyStopped()},
  {
    member: 'earlyStopped',
    options: '{threshold: 0.05, window: 1, rescoreEvery: 2, delta: 0.9}',
    build: () => earlyStopped({threshold: 0.05, window: 1, rescoreEvery: 2, delta: 0.9}),
  },
  {member: 'easiestFirst', options: '{growEpochs: 9}', build: () => easiestFirst({growEpochs: 9})},
  {
    member: 'easiestFirst',
    options: "{start: 0.01, growEpochs: 30, pacing: 'geometric', delta: 0.8}",
    build: () => easiestFirst({start: 0.01, growEpochs: 30, pacing: 'geometric', delta: 0.8}),
  },
  {member: 'hardestRows', options: '{ratio: 0.25}', build: () => hardestRows({ratio: 0.25})},
  {member: 'infoBatch', options: '', build: () => infoBatch()},
  {member: 'infoBatch', options: '{ratio: 0.9, delta: 1}', build: () => infoBatch({ratio: 0.9, delta: 1})},
  {
    member: 'infoBatch',
    options: '{ratio: 0.5, threshold: {quantile: 0.8}, delta: 0.5}',
    build: () => infoBatch({ratio: 0.5, threshold: {quantile: 0.8}, delta: 0.5}),
  },
  {member: 'kakurenbo', options: '', build: () => kakurenbo()},
  {
    member: 'kakurenbo',
    options: '{fraction: 0.99, confidence: null, decay: [], delta: 0.75}',
    build: () => kakurenbo({fraction: 0.99, confidence: null, decay: [], delta: 0.75}),
  },
  {
    member: 'randomSubset',
    options: '{ratio: 0.3}',
    build: () => randomSubset({ratio: 0.3}),
    looksAtNoLoss: true,
  },
  {
    member: 'randomSubset',
    options: '{ratio: 0.65, stratify, seed: 3, delta: 0.75}',
    build: () => randomSubset({ratio: 0.65, stratify: LABELS, seed: 3, delta: 0.75}),
    looksAtNoLoss: true,
  },
  {member: 'selectiveBackprop', options: '{power: 2}', build: () => selectiveBackprop({power: 2})},
  {
    member: 'selectiveBackprop',
    options: '{power: 0.5, minProbability: 0.2, delta: 0.5}',
    build: () => selectiveBackprop({power: 0.5, minProbability: 0.2, delta: 0.5}),
  },
  {
    member: 'stale',
    options: 'hardestRows({ratio: 0.25}), {every: 3}',
    build: () => stale(hardestRows({ratio: 0.25}), {every: 3}),
    inner: 'hardestRows',
  },
  {
    member: 'stale',
    options: 'earlyStopped({threshold: 0.05, window: 1}), {every: 2}',
    build: () => stale(earlyStopped({threshold: 0.05, window: 1}), {every: 2}),
    inner: 'earlyStopped',
  },
];
