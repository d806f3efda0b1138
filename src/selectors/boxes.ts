import {
  add,
  cast,
  where as chooseEach,
  div,
  equal,
  greater,
  greaterEqual,
  isFinite as isFiniteTensor,
  logicalAnd,
  maximum,
  minimum,
  mul,
  relu,
  type Scalar,
  sub,
  Tensor,
  type Tensor1D,
  unstack,
  zerosLike,
} from '@tensorflow/tfjs-core';
import {checkGiven, checkValues, typeError} from '../checks';
import {valueAt} from './ranking';
import type {Batch} from './selector';

/** Lower bound of areas: without it, two boxes without area would have an overlap of 0/0. */
const SMALLEST_AREA = 1e-37;

/** The edges of boxes, `float32[B]` each. */
export type Edges = readonly [y1: Tensor1D, x1: Tensor1D, y2: Tensor1D, x2: Tensor1D];

/** Splits boxes into edges. `sound` masks the `rows` with a valid box; others get an empty box. */
export function boxEdges(where: string, {context: {boxes}, rows}: Batch): {edges: Edges; sound: Tensor1D} {
  checkGiven(where, 'boxes', boxes, 'float32[B, 4]: y1, x1, y2, x2');
  if (!(boxes instanceof Tensor) || String(boxes.shape) !== String([rows.size, 4])) {
    const got = boxes instanceof Tensor ? boxes.shape : boxes;
    throw typeError(where, 'boxes', `have shape [${rows.size}, 4]: y1, x1, y2, x2`, got);
  }
  const edges = unstack(cast(boxes, 'float32'), 1) as Tensor1D[];
  const [y1, x1, y2, x2] = edges as unknown as Edges;
  const height = sideOf(where, 'y', y1, y2, rows);
  const width = sideOf(where, 'x', x1, x2, rows);
  const sound: Tensor1D = logicalAnd(rows, logicalAnd(isSide(height), isSide(width)));
  const cleaned = edges.map((edge) => chooseEach(sound, edge, zerosLike(edge)) as Tensor1D);
  return {edges: cleaned as unknown as Edges, sound};
}

/** Computes box lengths along one axis. Rows that cannot be selected need no valid box. */
function sideOf(where: string, axis: string, from: Tensor1D, to: Tensor1D, rows: Tensor1D): Tensor1D {
  const side = sub(to, from);
  const checked = chooseEach(rows, side, zerosLike(side)) as Tensor1D;
  const isRight = (length: number) => Number.isFinite(length) && length >= 0;
  checkValues(where, 'boxes', `have a finite side ${axis}2 - ${axis}1 >= 0`, checked, isRight);
  return checked;
}

function isSide(lengths: Tensor1D): Tensor1D {
  return logicalAnd(isFiniteTensor(lengths), greaterEqual(lengths, 0));
}

type Sides = [y1: Float32Array, x1: Float32Array, y2: Float32Array, x2: Float32Array];

/**
 * Builds {@link overlapping} of two places on the host, if reading does not wait. It rounds to
 * float32 as the kernels do, so that both select the same boxes.
 */
export function overlappingOnHost(edges: Edges, group: Tensor1D | undefined, threshold: number) {
  const [y1, x1, y2, x2] = edges.map((edge) => edge.dataSync<'float32'>()) as Sides;
  const groups = group?.dataSync();
  const {fround} = Math;
  const least = fround(threshold);
  const side = (from: Float32Array, to: Float32Array, a: number, b: number) =>
    Math.max(0, fround(Math.min(to[a] as number, to[b] as number) - Math.max(from[a] as number, from[b] as number)));
  const areas = y1.map((_, i) => Math.max(fround(side(y1, y2, i, i) * side(x1, x2, i, i)), SMALLEST_AREA));
  return (a: number, b: number): boolean => {
    if (groups && groups[a] !== groups[b]) return false;
    const shared = fround(side(y1, y2, a, b) * side(x1, x2, a, b));
    const both = fround(fround((areas[a] as number) + (areas[b] as number)) - shared);
    return fround(shared / both) > least;
  };
}

/** Builds a function that masks the boxes of the same group that overlap a given box too much. */
export function overlapping(
  [y1, x1, y2, x2]: Edges,
  group: Tensor1D | undefined,
  threshold: number,
): (place: Scalar) => Tensor1D {
  const areas: Tensor1D = maximum(mul(sub(y2, y1), sub(x2, x1)), SMALLEST_AREA);
  return (place) => {
    // Rank 0, because stock wasm is ten times as slow with a tensor of shape [1].
    const its = (values: Tensor1D) => valueAt(values, place);
    const height = relu(sub(minimum(y2, its(y2)), maximum(y1, its(y1))));
    const width = relu(sub(minimum(x2, its(x2)), maximum(x1, its(x1))));
    const shared = mul(height, width);
    const overlaps = greater<Tensor1D>(div(shared, sub(add(areas, its(areas)), shared)), threshold);
    return group === undefined ? overlaps : logicalAnd(overlaps, equal<Tensor1D>(group, its(group)));
  };
}
