import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  all,
  binaryCrossentropy,
  binaryFocalCrossentropy,
  ohemStep,
  type PerSampleLoss,
  perSampleLosses,
  topK,
  weightedSum,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {expectAsOracle, LOSS_RUNS, lossCases, predictionsFor, truthFor} from '../support/lossCases';
import {binaryFocalOracle, binaryOracle, type RowLoss} from '../support/lossOracles';
import {randomFrom} from '../support/property';
import {inProduction, leftBy, lossGradient, valuesOf} from '../support/tensors';
import {weightValues} from '../support/tinyModel';

const NEAR = {absolute: 1e-5, relative: 1e-5};

type Make = (options: {fromLogits?: boolean; ignoreLabel?: number}) => PerSampleLoss;
const LOSSES: [string, Make, (options: {fromLogits?: boolean}) => RowLoss][] = [
  ['binaryCrossentropy', binaryCrossentropy, binaryOracle],
  ['binaryFocalCrossentropy', binaryFocalCrossentropy, binaryFocalOracle],
];

/** One unit of weight 1 without a bias: its outputs are its inputs. */
function passOn(units: number, ...inputShape: number[]) {
  const model = sequential({layers: [layers.dense({units, useBias: false, inputShape})]});
  model.setWeights([tf.eye(units)]);
  return model;
}

for (const [name, make, oracleOf] of LOSSES) {
  describeOnBackends(name, () => {
    describe('with an ignoreLabel', () => {
      it('is the mean over the other labels, in value and gradient, whatever the axes', () => {
        const cases = fc.tuple(lossCases(), fc.boolean(), fc.constantFrom(255, -1, 2));
        fc.assert(
          fc.property(cases, ([sizes, fromLogits, ignoreLabel]) => {
            const random = randomFrom(sizes.seed + 5);
            const truth = truthFor(sizes).map((label) => (random() < 0.4 ? ignoreLabel : label));
            const oracle: RowLoss = (ofRow, predicted) => {
              const places = [...ofRow.keys()].filter((place) => ofRow[place] !== ignoreLabel);
              if (places.length === 0) return 0;
              const at = (list: readonly number[]) => places.map((place) => list[place] as number);
              return oracleOf({fromLogits})(at(ofRow), at(predicted));
            };
            const loss = make({fromLogits, ignoreLabel});
            expectAsOracle(loss, oracle, sizes, truth, predictionsFor(sizes, fromLogits));
          }),
          LOSS_RUNS,
        );
      });

      it('gives a row of ignored labels the loss 0 and no gradient, also if its prediction is NaN', () => {
        const rows = [
          tf.tensor2d([
            [255, 255],
            [1, 255],
          ]),
          tf.tensor2d([
            [Number.NaN, 3],
            [0.5, Number.NaN],
          ]),
        ] as const;
        const loss = make({fromLogits: true, ignoreLabel: 255});
        expectClose(loss(...rows), [0, oracleOf({fromLogits: true})([1], [0.5])], NEAR);
        const gradient = lossGradient(loss, ...rows);
        expect([gradient[0], gradient[1], gradient[3]].map((value) => Math.abs(value as number))).toEqual([0, 0, 0]);
        expect(Math.abs(gradient[2] as number)).toBeGreaterThan(0.01);
      });

      it('says which entries count, in the shape of the loss', () => {
        const {valid} = make({ignoreLabel: 255});
        const marksOf = (values: number[], shape: number[]) => {
          const marks = valid?.(tf.tensor(values, shape)) as tf.Tensor;
          return [marks.dtype, marks.shape, [...marks.dataSync()]];
        };
        expect(marksOf([0, 255, 1], [3])).toEqual(['float32', [3], [1, 0, 1]]);
        expect(marksOf([0, 255, 1], [3, 1])).toEqual(['float32', [3], [1, 0, 1]]);
        expect(marksOf([0, 255, 255, 255], [2, 2])).toEqual(['float32', [2], [1, 0]]);
        expect(marksOf([0, 255, 255, 255], [1, 2, 2, 1])).toEqual(['float32', [1, 2, 2], [1, 0, 0, 0]]);
        const row = tf.tensor2d([[0, 255]]);
        expect(leftBy(() => valid?.(row))).toBe(0);
        expect(make({}).valid).toBeUndefined();
      });

      it('refuses one that is no integer when it is built', () => {
        for (const ignoreLabel of [0.5, Number.NaN]) {
          expect(() => make({ignoreLabel})).toThrow(
            new RangeError(`${name}: ignoreLabel must be an integer, got ${ignoreLabel}.`),
          );
        }
      });
    });

    describe('looks at its labels:', () => {
      const rows = (...labels: number[]) =>
        [tf.tensor2d(labels, [labels.length, 1]), tf.fill([labels.length, 1], 0.25)] as const;

      it.each([255, -1, 1.5])('%d is refused if values may be read', (label) => {
        const remedy = 'Map labels -1 and 1, or 1 and 2, to 0 and 1; pass {ignoreLabel} for labels to ignore.';
        expect(() => make({})(...rows(0, label))).toThrow(
          new RangeError(`${name}: yTrue must hold labels from 0 to 1, got ${label} at position 1. ${remedy}`),
        );
        expect(() => make({ignoreLabel: 7})(...rows(7, label))).toThrow(
          new RangeError(`${name}: yTrue must hold labels from 0 to 1, or 7, got ${label} at position 1. ${remedy}`),
        );
      });

      it.each([255, -1])('%d is NaN in production, and changes no other row', (label) => {
        const losses = inProduction(() => valuesOf(() => make({})(...rows(0, label, 1))));
        expect(losses[1]).toBeNaN();
        expectClose([losses[0], losses[2]] as number[], [oracleOf({})([0], [0.25]), oracleOf({})([1], [0.25])], NEAR);
      });

      it('takes shares, and rounding', () => {
        const losses = make({})(...rows(0.3, 1 + 2e-7, -2e-7));
        expect([...losses.dataSync()].every(Number.isFinite)).toBe(true);
      });
    });

    describe('in a step', () => {
      const labels = [0, 1, 255, 0, 1, 1, 255, 255];
      const logits = [0.1, 0.2, 0.3, -0.4, 0.5, 1, -1, 3];
      const expected = labels.map((y, i) => (y === 255 ? 0 : oracleOf({fromLogits: true})([y], [logits[i] as number])));
      const sumOf = (start: number, end: number) => expected.slice(start, end).reduce((sum, loss) => sum + loss, 0);
      const loss = make({fromLogits: true, ignoreLabel: 255});
      const options = () => ({loss, optimizer: tf.train.sgd(0.1)});

      it.each([[[2, 4, 1]], [[2, 4]]])(
        'never mines ignored elements, and counts them in no mean (labels %j)',
        async (shape) => {
          const step = ohemStep(passOn(1, 4, 1), {...options(), select: topK({k: 8}), granularity: 'element'});
          const report = step(tf.tensor3d(logits, [2, 4, 1]), tf.tensor(labels, shape));
          expectClose(report.losses, expected, NEAR);
          expect([...report.selection.weights.dataSync()]).toEqual([1, 1, 1, 1, 1, 0, 0, 0]);
          const {batchLoss, kept, nonFinite} = await report.read();
          expect([kept, nonFinite]).toEqual([5, 0]);
          expect(batchLoss).toBeCloseTo(sumOf(0, 8) / 5, 5);
        },
      );

      it.each([[[2, 4, 1]], [[2, 4]]])('leaves them out of the mean over a row (labels %j)', (shape) => {
        const step = ohemStep(passOn(1, 4, 1), {...options(), select: all()});
        const {losses} = step(tf.tensor3d(logits, [2, 4, 1]), tf.tensor(labels, shape));
        expectClose(losses, [sumOf(0, 4) / 3, sumOf(4, 8) / 2], NEAR);
      });

      it('takes a row of several labels by those that count, and a row without one for not valid', async () => {
        const step = ohemStep(passOn(2, 2), {...options(), select: all()});
        const report = step(tf.tensor2d(logits, [4, 2]), tf.tensor2d(labels, [4, 2]));
        expectClose(report.losses, [sumOf(0, 2) / 2, sumOf(3, 4), sumOf(4, 6) / 2, 0], NEAR);
        expect((await report.read()).kept).toBe(3);
      });

      it('counts an entry of a sum that one of its losses counts', () => {
        const sum = weightedSum([{loss}, {loss: make({fromLogits: true, ignoreLabel: 255}), weight: 2}]);
        const step = ohemStep(passOn(1, 4, 1), {
          loss: sum,
          optimizer: tf.train.sgd(0),
          select: all(),
          granularity: 'element',
        });
        const {losses} = step(tf.tensor3d(logits, [2, 4, 1]), tf.tensor2d(labels, [2, 4]));
        expectClose(
          losses,
          expected.map((value) => 3 * value),
          NEAR,
        );
      });

      it('scores rows without ignored labels', async () => {
        const model = passOn(1, 4, 1);
        const scores = await perSampleLosses(model, tf.tensor3d(logits, [2, 4, 1]), tf.tensor2d(labels, [2, 4]), {
          loss,
        });
        expectClose([...scores], [sumOf(0, 4) / 3, sumOf(4, 8) / 2], NEAR);
      });

      it('runs recorded, and still looks at the labels of each batch', () => {
        const model = passOn(1, 1);
        const step = ohemStep(model, {
          loss: make({fromLogits: true}),
          select: topK({k: 2}),
          optimizer: tf.train.sgd(0.1),
        });
        const xs = tf.tensor2d([0.1, -0.2, 0.3, 0.4], [4, 1]);
        for (let t = 0; t < 5; t++) step(xs, tf.tensor2d([0, 1, 1, t % 2], [4, 1])).dispose();
        expect(step.why).toContain('the kernels of an earlier step run again');
        const before = weightValues(model);
        expect(() => step(xs, tf.tensor2d([0, 1, 255, 0], [4, 1]))).toThrow(
          `${name}: yTrue must hold labels from 0 to 1`,
        );
        expect(weightValues(model)).toEqual(before);
      });

      it('may find any label in rows that do not count, with or without a row of NaN', async () => {
        const plain = make({fromLogits: true});
        const take = async (ys: number[], given: object) => {
          const step = ohemStep(passOn(1, 1), {loss: plain, select: all(), optimizer: tf.train.sgd(0.1)});
          return step(tf.tensor2d([[0.5], [2], [3]]), tf.tensor2d(ys, [3, 1]), given).read();
        };
        const mean = oracleOf({fromLogits: true})([1], [0.5]);
        const valid = await take([1, 255, 255], {valid: tf.tensor1d([1, 0, 0])});
        expect([valid.kept, valid.nonFinite]).toEqual([1, 0]);
        expect(valid.batchLoss).toBeCloseTo(mean, 5);
        expect(await take([1, 255, 255], {sampleWeight: [1, 0, 0]})).toMatchObject({kept: 3, nonFinite: 0});
        expect((await take([1, Number.NaN, 255], {valid: tf.tensor1d([1, 1, 0])})).kept).toBe(1);
        await expect(take([1, 255, 0], {valid: tf.tensor1d([1, 1, 0])})).rejects.toThrow('got 255 at position 1');
      });

      it('leaves a target of NaN to the step, which leaves its row out', async () => {
        const step = ohemStep(passOn(1, 1), {
          loss: make({fromLogits: true}),
          select: all(),
          optimizer: tf.train.sgd(0.1),
        });
        const report = step(tf.tensor2d([[1], [2], [3]]), tf.tensor2d([[1], [Number.NaN], [0]]));
        expect(await report.read()).toMatchObject({kept: 2, nonFinite: 1});
      });
    });
  });
}
