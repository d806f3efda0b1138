import {dispose, memory, type Tensor, tensor, tensor1d, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  axisOf,
  cutShape,
  isSamePlace,
  leadingPlace,
  type Place,
  placeAt,
  rowCut,
  sizeOf,
} from '../../src/gradients/places';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {filled, uniform} from '../support/lossCases';
import {putBack, rowAt, taken} from '../support/opCases';
import {RUNS, randomFrom} from '../support/property';

/** Rows on an axis of a random shape, several rounds of them, and each in blocks. */
const lying = fc
  .record({
    batch: fc.integer({min: 2, max: 5}),
    leading: fc.array(fc.integer({min: 1, max: 3}), {maxLength: 2}),
    before: fc.integer({min: 1, max: 3}),
    after: fc.integer({min: 1, max: 3}),
    trailing: fc.array(fc.integer({min: 1, max: 3}), {maxLength: 2}),
    seed: fc.integer(),
  })
  .map(({batch, leading, before, after, trailing, seed}) => {
    const shape = [...leading, before * batch * after, ...trailing];
    const place: Place = {outer: sizeOf(leading) * before, inner: after * sizeOf(trailing)};
    return {batch, shape, place, at: {axis: leading.length, before, after}, seed};
  });

/** The row of an entry, from its position along the axis of the rows. */
function rowAlong(shape: readonly number[], axis: number, after: number, batch: number, flat: number): number {
  const along = Math.floor(flat / sizeOf(shape.slice(axis + 1))) % (shape[axis] as number);
  return Math.floor(along / after) % batch;
}

describe('axisOf', () => {
  it('finds an axis along which each entry belongs to the row that the place says', () => {
    fc.assert(
      fc.property(lying, ({batch, shape, place}) => {
        const at = axisOf(shape, place, batch);
        expect(at).toBeDefined();
        const {axis, before, after} = at as NonNullable<typeof at>;
        expect(before * batch * after).toBe(shape[axis]);
        for (let i = 0; i < sizeOf(shape); i++) {
          expect(rowAlong(shape, axis, after, batch, i)).toBe(rowAt(i, place, batch));
        }
      }),
      RUNS,
    );
  });

  it('undoes placeAt, but where several axes are as good', () => {
    fc.assert(
      fc.property(lying, ({batch, shape, place, at}) => {
        expect(placeAt(shape, at.axis, at, batch)).toEqual(place);
        const found = axisOf(shape, place, batch) as NonNullable<ReturnType<typeof axisOf>>;
        expect(placeAt(shape, found.axis, found, batch)).toEqual(place);
      }),
      RUNS,
    );
  });

  it('finds none if rows straddle several axes, or the place is of another size', () => {
    expect(axisOf([3, 4, 5], {outer: 1, inner: 5}, 12)).toBeUndefined();
    expect(axisOf([2, 6], {outer: 1, inner: 3}, 4)).toBeUndefined();
    expect(axisOf([4, 3], {outer: 1, inner: 6}, 4)).toBeUndefined();
    expect(axisOf([4, 3], {outer: 2, inner: 3}, 4)).toBeUndefined();
    expect(axisOf([], {outer: 1, inner: 1}, 4)).toBeUndefined();
  });

  it('finds rows that were flattened with what stood before and after them', () => {
    // [T, B, D] as one axis, and [B, T, D] as [B · T, D].
    expect(axisOf([5 * 4 * 3], {outer: 5, inner: 3}, 4)).toEqual({axis: 0, before: 5, after: 3});
    expect(axisOf([4 * 5, 3], {outer: 1, inner: 15}, 4)).toEqual({axis: 0, before: 1, after: 5});
  });
});

describe('placeAt', () => {
  it('finds none on an axis of another size', () => {
    expect(placeAt([4, 3], 1, {before: 1, after: 1}, 4)).toBeUndefined();
    expect(placeAt([4, 3], 2, {before: 1, after: 1}, 4)).toBeUndefined();
    expect(placeAt([8, 3], 0, {before: 1, after: 1}, 4)).toBeUndefined();
  });
});

describe('places', () => {
  it('are the same only if both numbers are', () => {
    expect(isSamePlace({outer: 2, inner: 3}, {outer: 2, inner: 3})).toBe(true);
    expect(isSamePlace({outer: 2, inner: 3}, {outer: 3, inner: 2})).toBe(false);
    expect(isSamePlace({outer: 2, inner: 3}, {outer: 2, inner: 6})).toBe(false);
  });

  it('of rows on the first axis are blocks of all that follows', () => {
    expect(leadingPlace([4, 3, 2], 4)).toEqual({outer: 1, inner: 6});
  });
});

describeOnBackends('a cut to some rows', () => {
  const cases = fc.record({lying, picks: fc.array(fc.nat(), {minLength: 1, maxLength: 7})}).map(({lying, picks}) => ({
    ...lying,
    rows: picks.map((pick) => pick % lying.batch),
  }));
  const random = (shape: number[], seed: number) => tensor(filled(shape, uniform(randomFrom(seed), -1, 1)), shape);
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a).reduce((sum, value, i) => sum + value * (b[i] as number), 0);

  it('takes these rows and puts them back, repeated ones added, wherever they lie', () => {
    fc.assert(
      fc.property(cases, ({batch, shape, place, seed, rows}) => {
        const cut = rowCut(tensor1d(rows, 'int32'), batch);
        tidy(() => {
          const x = random(shape, seed);
          const rowsOfX = cut.take(x, place);
          expect(rowsOfX.shape).toEqual(cutShape(shape, place, batch, rows.length));
          expect([...rowsOfX.dataSync()]).toEqual(taken(x.dataSync(), place, batch, rows));
          const put = cut.put(rowsOfX, place, shape);
          expect(put.shape).toEqual(shape);
          expectClose(put, putBack(rowsOfX.dataSync(), place, batch, rows), {absolute: 1e-6, relative: 0});
        });
        cut.dispose();
      }),
      RUNS,
    );
  });

  it('puts back by the adjoint of taking', () => {
    fc.assert(
      fc.property(cases, ({batch, shape, place, seed, rows}) => {
        tidy(() => {
          const cut = rowCut(tensor1d(rows, 'int32'), batch);
          const x = random(shape, seed);
          const y = random(cutShape(shape, place, batch, rows.length), seed + 1);
          const left = dot(cut.take(x, place).dataSync(), y.dataSync());
          const right = dot(x.dataSync(), cut.put(y, place, shape).dataSync());
          expect(left).toBeCloseTo(right, 4);
          cut.dispose();
        });
      }),
      RUNS,
    );
  });

  it('takes rows of integers and booleans as they are', () => {
    tidy(() => {
      const cut = rowCut(tensor1d([2, 0], 'int32'), 3);
      for (const dtype of ['int32', 'bool'] as const) {
        const rows = cut.take(tensor([1, 0, 0, 1, 1, 1], [3, 2], dtype), {outer: 1, inner: 2});
        expect([rows.dtype, ...rows.dataSync()]).toEqual([dtype, 1, 1, 1, 0]);
      }
    });
  });

  it('leaves nothing behind when it is disposed', () => {
    const rows = tensor1d([1, 0], 'int32');
    const [x, before] = [random([2, 2, 3], 1), memory().numTensors];
    const cut = rowCut(rows, 2);
    const made: Tensor[] = [];
    for (const place of [
      {outer: 1, inner: 6},
      {outer: 2, inner: 3},
      {outer: 2, inner: 3},
    ]) {
      const taken = cut.take(x, place);
      made.push(taken, cut.put(taken, place, [2, 2, 3]));
    }
    dispose(made);
    cut.dispose();
    expect(memory().numTensors).toBe(before);
    dispose([rows, x]);
  });
});
