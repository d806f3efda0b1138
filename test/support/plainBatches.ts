/** @file Random batches of pairs in plain numbers, and how properties of them are tried. */
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import type {DistanceOptions} from 'ohem-tfjs/pairs';
import type {PlainBatch} from './pairRules';
import {RUNS} from './property';

/**
 * 2 to 64 rows of 1 to 64 classes, also of one class and of one row a class. On a grid, so that
 * many distances are equal or far from one another.
 */
export const batches: fc.Arbitrary<PlainBatch> = fc
  .record({
    size: fc.integer({min: 2, max: 64}),
    width: fc.integer({min: 1, max: 4}),
    classes: fc.integer({min: 1, max: 64}),
  })
  .chain(({size, width, classes}) =>
    fc.record({
      rows: fc.array(fc.array(fc.integer({min: -3, max: 3}), {minLength: width, maxLength: width}), {
        minLength: size,
        maxLength: size,
      }),
      labels: fc.array(fc.integer({min: 0, max: classes - 1}), {minLength: size, maxLength: size}),
    }),
  );

export const squared: DistanceOptions = {distance: 'squaredEuclidean', normalize: false};

/** Distances that are equal in float32 as on paper. */
export const exact = fc.constantFrom<DistanceOptions>(squared, {distance: 'dot'});

/** Embeddings and labels of a batch. */
export const tensorsOf = ({rows, labels}: PlainBatch) => [tf.tensor2d(rows), tf.tensor1d(labels, 'int32')] as const;

/** Tries a property. */
export const holds = <T extends unknown[]>(property: fc.IProperty<T>, numRuns = 60) =>
  fc.assert(property, {...RUNS, numRuns});

/** Disposes the tensors of each run. */
export const tidied =
  <T extends unknown[]>(f: (...given: T) => void) =>
  (...given: T) =>
    void tf.tidy(() => f(...given));
