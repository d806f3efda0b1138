/** @file Pairs as masks `float32[B, R]`, from columns and from triplets. */

import {add, cast, gatherND, mul, range, reshape, type Tensor2D} from '@tensorflow/tfjs-core';
import {scatterRows} from '../rows';
import type {Pairs, Triplets} from './mining';

/** Takes the values at pairs of rows and columns, `float32[A, P]`. */
export function valuesAtPairs(values: Tensor2D, rows: Tensor2D, columns: Tensor2D): Tensor2D {
  const places = flatPlaces(rows, columns, values.shape[1]);
  return reshape(gatherND(reshape(values, [values.size]), places), columns.shape);
}

/** Takes the values of each row at some columns, `float32[B, P]`. */
export function valuesAt(values: Tensor2D, columns: Tensor2D): Tensor2D {
  return valuesAtPairs(values, ownRows(columns), columns);
}

/** Adds values up at pairs of rows and columns of a matrix of zeros. */
export function atPairs(rows: Tensor2D, columns: Tensor2D, values: Tensor2D, shape: [number, number]): Tensor2D {
  const places = flatPlaces(rows, columns, shape[1]);
  return reshape(scatterRows(places, reshape(values, [-1, 1]), shape[0] * shape[1]), shape);
}

/** Adds values `float32[B, P]` up at the columns `int32[B, P]`, `float32[B, R]`. */
export function atColumns(places: Tensor2D, values: Tensor2D, columns: number): Tensor2D {
  return atPairs(ownRows(places), places, values, [places.shape[0], columns]);
}

/** The number of each row, `int32[B, 1]`. */
export function ownRows(columns: Tensor2D): Tensor2D {
  return reshape(range(0, columns.shape[0], 1, 'int32'), [-1, 1]);
}

/** Places in a flat matrix, `int32[…, 1]`: of a pair of numbers each, tfjs would have to interleave two tensors. */
function flatPlaces(rows: Tensor2D, columns: Tensor2D, width: number): Tensor2D {
  return cast(reshape(add(mul(rows, width), columns), [-1, 1]), 'int32');
}

/** Counts in how many triplets each pair is. */
export function countsOfTriplets({positive, negative, weights}: Triplets, columns: number): Pairs {
  return {
    positives: atColumns(positive, weights, columns),
    negatives: atColumns(negative, weights, columns),
  };
}
