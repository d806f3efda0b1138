/** @file Masks `float32[B, R]` of pairs, from columns and from triplets. */

import {add, cast, gatherND, mul, range, reshape, type Tensor2D} from '@tensorflow/tfjs-core';
import {scatterRows} from '../rows';
import type {Pairs, Triplets} from './mining';

/** Gathers the values at pairs of rows and columns, `float32[A, P]`. */
export function valuesAtPairs(values: Tensor2D, rows: Tensor2D, columns: Tensor2D): Tensor2D {
  const places = flatPlaces(rows, columns, values.shape[1]);
  return reshape(gatherND(reshape(values, [values.size]), places), columns.shape);
}

/** Gathers the values of each row at some columns, `float32[B, P]`. */
export function valuesAt(values: Tensor2D, columns: Tensor2D): Tensor2D {
  return valuesAtPairs(values, ownRows(columns), columns);
}

/** Scatters values to pairs of rows and columns of a zero matrix; duplicates add up. */
export function atPairs(rows: Tensor2D, columns: Tensor2D, values: Tensor2D, shape: [number, number]): Tensor2D {
  const places = flatPlaces(rows, columns, shape[1]);
  return reshape(scatterRows(places, reshape(values, [-1, 1]), shape[0] * shape[1]), shape);
}

/** Scatters values `float32[B, P]` to columns `int32[B, P]`, `float32[B, R]`; duplicates add up. */
export function atColumns(places: Tensor2D, values: Tensor2D, columns: number): Tensor2D {
  return atPairs(ownRows(places), places, values, [places.shape[0], columns]);
}

/** The index of each row, `int32[B, 1]`. */
export function ownRows(columns: Tensor2D): Tensor2D {
  return reshape(range(0, columns.shape[0], 1, 'int32'), [-1, 1]);
}

/** Flat indices `int32[…, 1]` into a matrix; two-part indices would need interleaving in tfjs. */
function flatPlaces(rows: Tensor2D, columns: Tensor2D, width: number): Tensor2D {
  return cast(reshape(add(mul(rows, width), columns), [-1, 1]), 'int32');
}

/** Counts the triplets that contain each pair. */
export function countsOfTriplets({positive, negative, weights}: Triplets, columns: number): Pairs {
  return {
    positives: atColumns(positive, weights, columns),
    negatives: atColumns(negative, weights, columns),
  };
}
