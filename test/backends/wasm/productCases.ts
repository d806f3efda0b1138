import fc from 'fast-check';

export interface ProductCase {
  shapeA: number[];
  shapeB: number[];
  transposeA: boolean;
  transposeB: boolean;
  columns: number;
}

const upTo = (max: number) => fc.integer({min: 1, max});

/** Products of one matrix or several, each with its own, or all with the same. */
const products = ([rows, inner, columns]: [fc.Arbitrary<number>, fc.Arbitrary<number>, fc.Arbitrary<number>]) =>
  fc
    .record({
      outer: fc.constantFrom([], [1], [3], [2, 3]),
      shared: fc.constantFrom('neither', 'a', 'b', 'b of lower rank'),
      rows,
      inner,
      columns,
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    })
    .map(({outer, shared, rows, inner, columns, transposeA, transposeB}): ProductCase => {
      const outerA = shared === 'a' ? outer.map(() => 1) : outer;
      const outerB = shared === 'b' ? outer.map(() => 1) : shared === 'neither' || shared === 'a' ? outer : [];
      return {
        shapeA: [...outerA, ...(transposeA ? [inner, rows] : [rows, inner])],
        shapeB: [...outerB, ...(transposeB ? [columns, inner] : [inner, columns])],
        transposeA,
        transposeB,
        columns,
      };
    });

const small = products([upTo(9), upTo(9), upTo(9)]);
/**
 * Some of them large enough to be multiplied one after the other, and longer than the blocks of the
 * stock loop.
 */
const large = products([fc.constantFrom(1, 7, 8, 40), fc.constantFrom(5, 50, 60), fc.constantFrom(1, 9, 40)]);
/** Products of one matrix or several, transposed or not. */
export const productCases: fc.Arbitrary<ProductCase> = fc.oneof(small, large);
