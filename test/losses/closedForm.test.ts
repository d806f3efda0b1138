import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  huber,
  type PerSampleLoss,
  sparseCategoricalCrossentropy,
} from 'ohem-tfjs';
import {afterEach, expect, it} from 'vitest';
import {record} from '../../src/engine';
import {leadingPlace, rowCut} from '../../src/gradients/places';
import {walkBack} from '../../src/gradients/walk';
import {putRows} from '../../src/rows';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {filled, truthFor, uniform} from '../support/lossCases';
import {EXTREMES, LOSSES, rowsFor, type Specimen} from '../support/lossSpecimens';
import {RUNS, randomFrom} from '../support/property';
import {inProduction, tidied, valuesOf} from '../support/tensors';
import {trainsOn} from '../support/wasmTraining';

const NEAR = {absolute: 2e-6, relative: 2e-5};

/** Those that are made of other losses, or by tfjs. */
const OF_OTHERS = ['weightedSum', 'fromLayersLoss'];

const CLOSED = Object.entries(LOSSES)
  .filter(([member]) => !OF_OTHERS.includes(member))
  .flatMap(([member, tried]) =>
    Object.entries(tried).map(([options, specimen]) => ({name: `${member}(${options})`, specimen})),
  );

type By = 'yPred' | 'yTrue';

interface Found {
  losses: number[];
  gradient: number[];
}

interface Rows {
  yTrue: tf.Tensor;
  yPred: tf.Tensor;
  /** The weights of the losses, or of those of the rows `kept`. */
  dl: tf.Tensor;
  kept?: number[];
}

/** The losses, and the gradient of `Σ dl · l` as a step takes it. */
function ofStep(loss: PerSampleLoss, {yTrue, yPred, dl, kept}: Rows, by: By = 'yPred'): Found {
  const inputs = {yTrue: tf.variable(yTrue), yPred: tf.variable(yPred)};
  const found = tidied(() => {
    const {result: losses, tape} = record(() => loss(inputs.yTrue, inputs.yPred));
    expect(tape.ops.map(({kind}) => kind)).toEqual(['own']);
    const batch = yPred.shape[0] as number;
    const cut = kept && rowCut(tf.tensor1d(kept, 'int32'), batch);
    const start = {tensor: losses, value: tf.clone(dl), ...(kept && {place: leadingPlace(losses.shape, batch)})};
    const {gradients} = walkBack('test', tape.ops, [start], [inputs[by]], cut);
    const gradient = gradients[inputs[by].name] as tf.Tensor;
    expect([gradient.dtype, gradient.shape]).toEqual(['float32', inputs[by].shape]);
    tape.dispose();
    cut?.dispose();
    return {losses: [...losses.dataSync()], gradient: [...gradient.dataSync()]};
  });
  tf.dispose(inputs);
  return found;
}

/** The same by tfjs, through the ops of the loss. */
function byTfjs(loss: PerSampleLoss, {yTrue, yPred, dl}: Rows, by: By = 'yPred'): Found {
  const f = by === 'yPred' ? (x: tf.Tensor) => loss(yTrue, x) : (x: tf.Tensor) => loss(x, yPred);
  return {
    losses: valuesOf(() => loss(yTrue, yPred)),
    gradient: valuesOf(() => tf.grad(f)(by === 'yPred' ? yPred : yTrue, dl)),
  };
}

/** Expects the same of all rows, and of those kept, with as many weights. */
function expectSame(loss: PerSampleLoss, rows: Rows, by: By = 'yPred'): void {
  const {yTrue, yPred, dl, kept} = rows;
  const whole = kept ? {yTrue, yPred, dl: putRows(dl, tf.tensor1d(kept, 'int32'), yPred.shape[0] as number)} : rows;
  const [got, want] = [ofStep(loss, rows, by), byTfjs(loss, whole, by)];
  expectClose(got.losses, want.losses, NEAR);
  expectClose(got.gradient, want.gradient, NEAR);
}

/** A truth in another form that a loss takes: another dtype, between the classes, an axis more. */
function inForm(form: string, {truth}: Specimen, [yTrue, yPred]: [tf.Tensor, tf.Tensor], seed: number): tf.Tensor {
  if (form === 'mixed' && (truth === 'oneHot' || truth === 'zeroOrOne')) {
    return tf.tensor(truthFor({shape: yPred.shape, width: 4, seed: 2 * seed + 1}), yPred.shape);
  }
  if (form === 'longer' && truth === 'labels') return tf.expandDims(yTrue, -1);
  const isWhole = truth !== 'numbers' && truth !== 'probabilities';
  if (form === 'int32' && isWhole) return tf.cast(yTrue, 'int32');
  if (form === 'bool' && isWhole && truth !== 'labels') return tf.cast(yTrue, 'bool');
  return tf.cast(yTrue, 'float32');
}

/** Predictions at the kinks of the losses: at the truth, at the bends and margins, ties. */
function kinksOf({truth, prediction}: Specimen, yTrue: tf.Tensor): tf.Tensor[] {
  if (prediction === 'probabilities') return [];
  const whole = truth === 'labels' ? tf.oneHot(tf.cast(yTrue, 'int32'), 4) : yTrue;
  const at = tf.cast(whole, 'float32');
  return [at, ...[-3, -1, 1, 3].map((offset) => tf.add(at, offset)), tf.mul(at, 4), tf.mul(at, -1)];
}

/** Weights for the losses of rows, some of them 0. */
function weightsFor(shape: number[], seed: number): tf.Tensor {
  const random = randomFrom(seed + 1);
  return tf.tensor(
    filled(shape, () => (random() < 0.2 ? 0 : 4 * random() - 2)),
    shape,
  );
}

describeOnBackends('The closed form of a loss', (backend) => {
  trainsOn(backend);
  afterEach(() => expect(tf.env().getBool('PROD')).toBe(false));

  it.each(CLOSED)('is the gradient of its ops, of all rows and of those kept: $name', ({specimen}) => {
    const sizes = fc.record({
      leading: fc.array(fc.integer({min: 1, max: 4}), {minLength: 1, maxLength: 3}),
      form: fc.constantFrom('float32', 'int32', 'bool', 'mixed', 'longer'),
      places: fc.array(fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true}), {minLength: 1, maxLength: 4}),
      seed: fc.integer({min: 0, max: 1e6}),
    });
    fc.assert(
      fc.property(sizes, ({leading, form, places, seed}) => {
        tf.tidy(() => {
          const [batch, ...others] = leading as [number, ...number[]];
          const rows = rowsFor(specimen, [...leading, 4], seed);
          const [yTrue, yPred] = [inForm(form, specimen, rows, seed), rows[1]];
          const kept = places.map((place) => Math.floor(place * batch));
          expectSame(specimen.loss, {yTrue, yPred, dl: weightsFor(leading, seed)});
          expectSame(specimen.loss, {yTrue, yPred, dl: weightsFor([kept.length, ...others], seed), kept});
        });
      }),
      {...RUNS, numRuns: 15},
    );
  });

  it.each(CLOSED)('is the gradient of its ops at the extremes and at the kinks: $name', ({specimen}) => {
    const extremes = tf.tensor2d(EXTREMES[specimen.prediction]);
    const [yTrue] = rowsFor(specimen, extremes.shape, 1);
    for (const truth of [yTrue, tf.zerosLike(yTrue)]) {
      for (const yPred of [extremes, ...kinksOf(specimen, truth)]) {
        for (const weight of [1, -0.5, 0]) {
          const rows = {yTrue: truth, yPred, dl: tf.fill([5], weight)};
          expectSame(specimen.loss, rows);
          expect(ofStep(specimen.loss, rows).gradient.every(Number.isFinite)).toBe(true);
        }
      }
    }
  });

  it.each(CLOSED.filter(({specimen}) => specimen.truth !== 'oneHot' && specimen.truth !== 'labels'))(
    'takes one value a row, and a truth with an axis more or less: $name',
    ({specimen}) => {
      const shapes = [
        {ofTruth: [5], ofPred: [5]},
        {ofTruth: [5, 1], ofPred: [5]},
        {ofTruth: [5], ofPred: [5, 1]},
        {ofTruth: [5, 2], ofPred: [5, 2, 1]},
      ];
      for (const {ofTruth, ofPred} of shapes) {
        const [yTrue, yPred] = [rowsFor(specimen, ofTruth, 5)[0], rowsFor(specimen, ofPred, 6)[1]];
        const others = ofPred.length === 3 ? [2] : [];
        expectSame(specimen.loss, {yTrue, yPred, dl: weightsFor([5, ...others], 7)});
        expectSame(specimen.loss, {yTrue, yPred, dl: weightsFor([2, ...others], 8), kept: [3, 1]});
      }
    },
  );

  it.each(CLOSED.filter(({name, specimen}) => specimen.truth !== 'labels' && !/^(squaredH|h)inge/.test(name)))(
    'has the gradient of its ops by a truth that is computed: $name',
    ({specimen}) => {
      const [, yPred] = rowsFor(specimen, [4, 2, 4], 9);
      const yTrue = tf.tensor(filled(yPred.shape, randomFrom(10)), yPred.shape);
      expectSame(specimen.loss, {yTrue, yPred, dl: weightsFor([4, 2], 11)}, 'yTrue');
      expectSame(specimen.loss, {yTrue, yPred, dl: weightsFor([3, 2], 12), kept: [2, 0, 2]}, 'yTrue');
    },
  );

  it.each([true, false])('has no gradient for labels that are wrong or ignored (fromLogits: %s)', (fromLogits) => {
    const labels = [0, 1, 2, 3, -1, 0.5, Number.NaN, 255];
    const yTrue = tf.tensor1d(labels);
    const yPred = tf.tensor2d(filled([8, 3], uniform(randomFrom(1), 0.1, 0.9)), [8, 3]);
    const rows = {yTrue, yPred, dl: tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8])};
    for (const ignoreLabel of [255, 1]) {
      const loss = sparseCategoricalCrossentropy({fromLogits, ignoreLabel});
      const isLabel = labels.map((label) => [0, 1, 2].includes(label) && label !== ignoreLabel);
      const [got, want] = tidied(() => inProduction(() => [ofStep(loss, rows), byTfjs(loss, rows)] as const));
      expectClose(got.gradient, want.gradient, NEAR);
      expect(labels.map((_, row) => got.gradient.slice(3 * row, 3 * row + 3).some((x) => x !== 0))).toEqual(isLabel);
      expect(got.losses).toEqual(want.losses);
      expect(got.losses.map(Number.isFinite)).toEqual(
        labels.map((label, row) => isLabel[row] || label === ignoreLabel),
      );
    }
  });

  it('keeps the gradient down to p = 1e-30, and that of logits of ±80', () => {
    const gradient = (loss: PerSampleLoss, truth: number[], predicted: number[]) =>
      ofStep(loss, {yTrue: tf.tensor2d([truth]), yPred: tf.tensor2d([predicted]), dl: tf.tensor1d([1])}).gradient;
    const precise = {absolute: 1e-6, relative: 1e-5};
    expectClose(gradient(categoricalCrossentropy(), [1, 0], [1e-30, 1]), [-1e30, 1], precise);
    expectClose(gradient(categoricalCrossentropy({fromLogits: true}), [1, 0], [-80, 80]), [-1, 1], precise);
    expectClose(gradient(binaryCrossentropy(), [1, 0], [1e-30, 1e-30]), [-5e29, 0.5], precise);
    expectClose(gradient(binaryCrossentropy({fromLogits: true}), [1, 0], [-80, 80]), [-0.5, 0.5], precise);
    expectClose(gradient(categoricalHinge(), [0, 1, 0], [2, 1, 2]), [0.5, -1, 0.5], precise);
    expectClose(gradient(huber(), [0, 0, 0, 0], [1, -1, 0, 1e30]), [0.25, -0.25, 0, 0.25], precise);
  });

  it('refuses in a step what it refuses elsewhere', () => {
    const refuse = () => record(() => sparseCategoricalCrossentropy()(tf.tensor1d([0, 2]), tf.ones([2, 2])));
    expect(refuse).toThrow('sparseCategoricalCrossentropy: yTrue must hold integers from 0 to 1, got 2 at position 1.');
  });

  it('takes few kernels', async () => {
    const yTrue = tf.variable(tf.cast(tf.oneHot(tf.tensor1d([0, 1, 2], 'int32'), 3), 'float32'));
    const yPred = tf.variable(tf.fill([3, 3], 0.3));
    for (const [fromLogits, forward, backward] of [
      [false, 8, 12],
      [true, 9, 5],
    ] as const) {
      const loss = categoricalCrossentropy({fromLogits});
      const ofForward = await kernelsOf(() => record(() => loss(yTrue, yPred)));
      expect(ofForward.length, ofForward.join()).toBeLessThanOrEqual(forward);
      const {result, tape} = record(() => loss(yTrue, yPred));
      const start = {tensor: result, value: tf.ones([3])};
      const ofGradient = await kernelsOf(() => walkBack('test', tape.ops, [start], [yPred]).gradients);
      expect(ofGradient.length, ofGradient.join()).toBeLessThanOrEqual(backward);
      tape.dispose();
    }
    tf.dispose([yTrue, yPred]);
  });
});

/** What a profile names besides kernels that compute: other shapes, and custom gradients. */
const FREE = ['Reshape', 'Identity', 'ExpandDims', 'unnamed scope'];

/** The kernels that `f` runs. */
async function kernelsOf(f: () => unknown): Promise<string[]> {
  const {kernels} = await tf.profile(() => {
    tidied(f);
    return tf.scalar(0);
  });
  return kernels.map(({name}) => name).filter((name) => !FREE.includes(name));
}
