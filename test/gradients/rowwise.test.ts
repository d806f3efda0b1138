import {
  add,
  concat,
  customGrad,
  keep,
  matMul,
  mean,
  mul,
  range,
  reshape,
  reverse,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor,
  tidy,
  topk,
  transpose,
  unstack,
  variable,
} from '@tensorflow/tfjs-core';
import {layers} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {record} from '../../src/engine';
import {mixingOp} from '../../src/gradients/rowwise';
import {describeOnBackends} from '../support/backends';
import {drawFrom, tensorOf} from '../support/opCases';
import {RUNS, randomFrom, repeatably} from '../support/property';
import {randomModel} from '../support/randomModels';
import {tidied} from '../support/tensors';
import {trainsOn} from '../support/wasmTraining';

const B = 4;
const x = () => tensorOf({shape: [B, 3]}, randomFrom(3)) as Tensor2D;

/** What mixes rows of `inputs` in `f`. */
function mixing(f: (inputs: Tensor2D) => unknown, inputs = x(), batch = B): string | undefined {
  return tidied(() => {
    const {tape} = record(() => f(inputs));
    tape.dispose();
    return mixingOp(tape, [inputs], batch);
  });
}

describeOnBackends('mixingOp', (backend) => {
  trainsOn(backend);

  it('never finds that a random model goes row by row if one row moves the losses of another', () => {
    let [rowByRow, mixed] = [0, 0];
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const draw = drawFrom(g);
        const batch = draw.int(2, 5);
        const model = repeatably(() => tidied(() => randomModel(draw, batch)));
        const row = draw.int(0, batch - 1);
        tidy(() => {
          const {result, tape} = record(() => model.losses());
          tape.dispose();
          const found = mixingOp(tape, [model.x], batch);
          const moved = model.x
            .dataSync()
            .map((value, i) => value + (Math.floor((i * batch) / model.x.size) === row ? 0.5 : 0));
          const again = model.losses(tensor(moved, model.x.shape)).dataSync();
          const others = [...result.dataSync()].map((loss, i) =>
            i === row ? 0 : Math.abs(loss - (again[i] as number)),
          );
          if (found === undefined) {
            rowByRow++;
            expect(Math.max(...others)).toBeLessThan(1e-5);
          } else mixed++;
          // The other way round it may err, but not for these blocks.
          expect(found !== undefined).toBe(model.blocks.some(({mixes}) => mixes));
        });
        model.dispose();
      }),
      {...RUNS, numRuns: 150},
    );
    expect(Math.min(rowByRow, mixed)).toBeGreaterThan(20);
  });

  it('names the op that mixes rows', () => {
    expect(mixing((rows) => sub(rows, mean(rows, 0)))).toBe('Mean');
    expect(mixing((rows) => reverse(rows, 0))).toBe('Reverse');
    expect(mixing((rows) => softmax(transpose(rows)))).toBe('Softmax');
    expect(mixing((rows) => sum(rows))).toBe('Sum');
    expect(mixing((rows) => matMul(rows, rows, true, false))).toBe('BatchMatMul');
    expect(mixing((rows) => slice(rows, [0, 0], [B / 2, -1]))).toBe('Slice');
    expect(mixing((rows) => unstack(rows, 0))).toBe('Unpack');
    expect(mixing((rows) => topk(rows, 1))).toBe('TopK');
    expect(mixing((rows) => reshape(rows, [2, 2, 3]))).toBe('Reshape');
  });

  it('finds nothing where rows keep apart, wherever they go', () => {
    const w = keep(tensorOf({shape: [3, 3]}, randomFrom(1))) as Tensor2D;
    expect(mixing((rows) => matMul(rows, w))).toBeUndefined();
    expect(mixing((rows) => matMul(w, rows, false, true))).toBeUndefined();
    expect(mixing((rows) => transpose(softmax(rows)))).toBeUndefined();
    expect(mixing((rows) => sum(rows, 1))).toBeUndefined();
    expect(mixing((rows) => slice(concat([rows, mul(rows, 2)], 0), [B, 0], [B, -1]))).toBeUndefined();
    w.dispose();
  });

  it('does not care what mixes that depends on no row', () => {
    const w = variable(x());
    expect(mixing((rows) => add(rows, mean(reverse(square(w), 0), 0)))).toBeUndefined();
    expect(mixing(() => sum(w))).toBeUndefined();
    w.dispose();
  });

  it('follows rows that are added to others in another order, or broadcast', () => {
    const w = keep(x());
    expect(mixing((rows) => add(rows, transpose(reshape(transpose(rows), [3, B]))))).toBeUndefined();
    const all = tidy(() => tensorOf({shape: [B, B]}, randomFrom(2)) as Tensor2D);
    void all;
    // Of a square: rows on the first axis and rows on the second.
    expect(mixing((rows) => add(rows, transpose(rows)), tensorOf({shape: [B, B]}, randomFrom(2)) as Tensor2D)).toBe(
      'Add',
    );
    // A vector of one entry a row, against an axis that is no axis of rows.
    expect(mixing((rows) => add(rows, sum(rows, 1)), tensorOf({shape: [B, B]}, randomFrom(2)) as Tensor2D)).toBe('Add');
    expect(mixing((rows) => matMul(rows, rows), tensorOf({shape: [B, B]}, randomFrom(2)) as Tensor2D)).toBe(
      'BatchMatMul',
    );
    w.dispose();
  });

  it('does not trust what a row was read for', () => {
    const w = keep(x());
    expect(mixing((rows) => mul(w, rows.dataSync()[0] as number))).toBe('a read');
    expect(mixing((rows) => mul(w, sum(rows, 1).dataSync()[0] as number))).toBe('a read');
    expect(mixing((rows) => mul(rows, w.dataSync()[0] as number))).toBeUndefined();
    w.dispose();
  });

  it('does not trust gradients of users', () => {
    const op = customGrad((rows) => ({value: square(rows as Tensor), gradFunc: (dy) => dy as Tensor}));
    expect(mixing((rows) => op(rows))).toBeDefined();
  });

  it('trusts no batch normalisation in training mode, and one in use', () => {
    const layer = layers.batchNormalization();
    const by = (training: boolean) => mixing((rows) => layer.apply(rows, {training}), x());
    expect(by(true)).toBeDefined();
    expect(by(false)).toBeUndefined();
  });

  it('does not see what a layer makes of the number of rows', () => {
    expect(mixing((rows) => mul(rows, rows.shape[0]))).toBeUndefined();
    expect(mixing((rows) => add(rows, reshape(range(0, B), [B, 1])))).toBeUndefined();
  });

  it('tells nothing by a batch of one row', () => {
    const row = tensorOf({shape: [1, 3]}, randomFrom(1)) as Tensor2D;
    expect(mixing((rows) => mean(rows, 0), row, 1)).toBe('a batch of one row');
    expect(mixing((rows) => square(rows), row, 1)).toBe('a batch of one row');
    row.dispose();
  });

  it('follows several inputs', () => {
    tidy(() => {
      const [a, b] = [x(), tensorOf({shape: [B, 2, 3]}, randomFrom(4)) as Tensor3D];
      const joined = record(() => concat([reshape(a, [B, 1, 3]), b], 1)).tape;
      expect(mixingOp(joined, [a, b], B)).toBeUndefined();
      const crossed = record(() => matMul(reshape(b, [B, 6]), reshape(b, [B, 6]), true, false)).tape;
      expect(mixingOp(crossed, [a, b], B)).toBe('BatchMatMul');
      expect(mixingOp(crossed, [a], B)).toBeUndefined();
      for (const tape of [joined, crossed]) tape.dispose();
    });
  });
});
