/**
 * @file What every per-sample loss promises. A new one is a line in
 *   `test/support/lossSpecimens.ts`.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {PerSampleLoss} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {itIf} from '../support/itIf';
import {EXTREMES, LOSSES, rowsFor} from '../support/lossSpecimens';
import {read, readGradient} from '../support/read';
import {leftBy, onEachBackend} from '../support/tensors';

type Valid = NonNullable<PerSampleLoss['valid']>;

/** The losses of tfjs-layers go by rules of their own, and a sum leaves it to its members. */
const CHECK_NO_SHAPES = ['fromLayersLoss', 'weightedSum'];

/** Shapes of predictions, `[B, …, C]` with four classes. */
const SHAPES = [
  [1, 4],
  [7, 4],
  [1, 1, 4],
  [3, 2, 4],
  [2, 3, 2, 4],
];

const rowAt = (tensor: tf.Tensor, row: number) => tf.slice(tensor, row, 1);

describe('The contract of the losses', async () => {
  it('is held by every loss of one output that is exported', async () => {
    const exported = Object.keys(await import('ohem-tfjs/losses')).filter((name) => name !== 'jointLoss');
    expect(Object.keys(LOSSES).sort()).toEqual(exported.sort());
  });
});

const TRIED = Object.entries(LOSSES).flatMap(([member, tried]) =>
  Object.entries(tried).map(([options, specimen]) => ({member, options, specimen})),
);

for (const {member, options, specimen} of TRIED) {
  const {loss} = specimen;
  const checksShapes = !CHECK_NO_SHAPES.includes(member);

  describeOnBackends(`${member}(${options})`, () => {
    it.each(SHAPES.map((shape) => ({shape})))('takes the last axis of $shape away and leaves the others', ({shape}) => {
      const losses = loss(...rowsFor(specimen, shape, 1));
      expect([losses.dtype, losses.shape]).toEqual(['float32', shape.slice(0, -1)]);
    });

    it('is finite, and so is its gradient, on random rows', async () => {
      for (let seed = 0; seed < 25; seed++) {
        const [yTrue, yPred] = rowsFor(specimen, [6, 4], seed);
        expect((await read(() => loss(yTrue, yPred))).every(Number.isFinite)).toBe(true);
        expect((await readGradient(loss, yTrue, yPred)).every(Number.isFinite)).toBe(true);
      }
    });

    it('is finite, and so is its gradient, at the extremes', async () => {
      const extremes = EXTREMES[specimen.prediction];
      const yPred = tf.tensor2d(extremes);
      const [yTrue] = rowsFor(specimen, yPred.shape, 1);
      for (const truth of [yTrue, tf.zerosLike(yTrue)]) {
        expect((await read(() => loss(truth, yPred))).every(Number.isFinite)).toBe(true);
        expect((await readGradient(loss, truth, yPred)).every(Number.isFinite)).toBe(true);
      }
    });

    it('has a gradient that is not 0 throughout', async () => {
      const gradient = await readGradient(loss, ...rowsFor(specimen, [6, 4], 1));
      expect(gradient.some((value) => Math.abs(value) > 1e-6)).toBe(true);
    });

    it('gives a row the same loss and gradient alone as in a batch', async () => {
      const [yTrue, yPred] = rowsFor(specimen, [5, 2, 4], 2);
      const together = await read(() => loss(yTrue, yPred));
      const gradient = await readGradient(loss, yTrue, yPred);
      for (let row = 0; row < 5; row++) {
        const alone = [rowAt(yTrue, row), rowAt(yPred, row)] as const;
        const near = {absolute: 1e-6, relative: 1e-6};
        expectClose(await read(() => loss(...alone)), together.slice(2 * row, 2 * row + 2), near);
        expectClose(await readGradient(loss, ...alone), gradient.slice(8 * row, 8 * row + 8), near);
      }
    });

    it('does not change the loss of a row with the prediction of another', async () => {
      const [yTrue, yPred] = rowsFor(specimen, [5, 4], 3);
      const before = await read(() => loss(yTrue, yPred));
      const other = rowsFor(specimen, [1, 4], 4)[1];
      const changed = tf.concat([tf.slice(yPred, 0, 2), other, tf.slice(yPred, 3)]);
      const after = await read(() => loss(yTrue, changed));
      expect(after.filter((_, row) => row !== 2)).toEqual(before.filter((_, row) => row !== 2));
    });

    it('gives a row of NaN a loss of NaN if it counts, and leaves the other rows alone', async () => {
      const [yTrue, yPred] = rowsFor(specimen, [5, 4], 3);
      const counts = loss.valid ? await read(() => (loss.valid as Valid)(yTrue)) : [1, 1, 1, 1, 1];
      const before = await read(() => loss(yTrue, yPred));
      const notANumber = tf.fill([1, 4], Number.NaN);
      const after = await read(() => loss(yTrue, tf.concat([tf.slice(yPred, 0, 2), notANumber, tf.slice(yPred, 3)])));
      expect(after).toEqual(before.map((value, row) => (row === 2 && counts[row] === 1 ? Number.NaN : value)));
    });

    it('lets a gradient flow within its own row only', async () => {
      const [yTrue, yPred] = rowsFor(specimen, [5, 4], 5);
      const ofSecond = tf.tensor1d([0, 1, 0, 0, 0]);
      const gradient = await read(() => tf.grad((x) => loss(yTrue, x))(yPred, ofSecond));
      const elsewhere = gradient.filter((_, place) => Math.floor(place / 4) !== 1);
      expect(elsewhere.map(Math.abs)).toEqual(Array(16).fill(0));
    });

    it('gives the losses in the order of the rows', async () => {
      const [yTrue, yPred] = rowsFor(specimen, [6, 4], 6);
      const order = [4, 2, 5, 0, 1, 3];
      const reordered = (tensor: tf.Tensor) => tf.concat(order.map((row) => rowAt(tensor, row)));
      const before = await read(() => loss(yTrue, yPred));
      const after = await read(() => loss(reordered(yTrue), reordered(yPred)));
      expect(after).toEqual(order.map((row) => before[row]));
    });

    it('gives the same numbers and gradients on every backend', async () => {
      const before = tf.getBackend();
      const answers = await onEachBackend(async () => {
        const [yTrue, yPred] = rowsFor(specimen, [9, 4], 7);
        return [...(await read(() => loss(yTrue, yPred))), ...(await readGradient(loss, yTrue, yPred))];
      });
      for (const answer of answers) expectClose(answer, answers[0] ?? [], {absolute: 1e-5, relative: 1e-5});
      await tf.setBackend(before);
    });

    it('leaks nothing, in value and gradient, and leaves its inputs as they are', async () => {
      const [yTrue, yPred] = rowsFor(specimen, [3, 2, 4], 8);
      const values = () => Promise.all([yTrue, yPred].map(async (tensor) => [...(await tensor.data())]));
      const before = await values();
      expect(leftBy(() => loss(yTrue, yPred))).toBe(0);
      expect(leftBy(() => tf.grad((x) => tf.sum(loss(yTrue, x)))(yPred))).toBe(0);
      expect(await values()).toEqual(before);
    });

    it('says which entries count in the shape of the loss, if it leaves any out', () => {
      const [yTrue, yPred] = rowsFor(specimen, [3, 2, 4], 9);
      if (loss.valid) expect(loss.valid(yTrue).shape).toEqual(loss(yTrue, yPred).shape);
    });

    itIf(checksShapes)(`refuses a truth for other rows with a TypeError in the name of ${member}`, () => {
      const refuse = (yTrue: tf.Tensor, yPred: tf.Tensor) => {
        const message = new RegExp(`^${member}: yTrue must have the shape of yPred.*, got \\[.*\\]\\.`);
        expect(() => loss(yTrue, yPred)).toThrow(TypeError);
        expect(() => loss(yTrue, yPred)).toThrow(message);
      };
      const [ofThree] = rowsFor(specimen, [3, 4], 1);
      const [ofImage] = rowsFor(specimen, [2, 3, 4], 1);
      refuse(ofThree, tf.ones([2, 4]));
      refuse(ofImage, tf.ones([2, 4]));
      refuse(ofImage, tf.ones([6, 4]));
    });
  });
}
