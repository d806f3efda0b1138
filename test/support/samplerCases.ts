/** @file A line for each sampler with options: what the contract suites try. */
import {infoBatch, randomSubset, type Sampler} from 'ohem-tfjs/samplers';

export interface SamplerCase {
  /** As it is exported. */
  member: string;
  options: string;
  build: () => Sampler;
  /** Whether it goes by chance alone: it may leave out rows that were never seen. */
  looksAtNoLoss?: true;
}

const LABELS = Array.from({length: 40}, (_, row) => row % 3);

/** All of them for data sets of 40 rows. */
export const SAMPLER_CASES: readonly SamplerCase[] = [
  {member: 'infoBatch', options: '', build: () => infoBatch()},
  {member: 'infoBatch', options: '{ratio: 0.9, delta: 1}', build: () => infoBatch({ratio: 0.9, delta: 1})},
  {
    member: 'infoBatch',
    options: '{ratio: 0.5, threshold: {quantile: 0.8}, delta: 0.5}',
    build: () => infoBatch({ratio: 0.5, threshold: {quantile: 0.8}, delta: 0.5}),
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
];
