import {
  abs,
  add,
  exp,
  eye,
  log1p,
  mul,
  neg,
  relu,
  reshape,
  sub,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  binaryCrossentropy,
  binaryFocalCrossentropy,
  fitOhem,
  hinge,
  meanSquaredError,
  type OhemStepOptions,
  ohemLoss,
  ohemStep,
  type PerSampleLoss,
  topK,
  weightedSum,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS, randomFrom} from '../support/property';
import {weightValues} from '../support/tinyModel';

const CLOSE = {absolute: 1e-5, relative: 1e-5};
const LOGITS = [2, -1, 0.5, -3, 1, 2, 0.1, 0.2, -0.3];
const LABELS = [1, 0, 0, 1, 1, 0, 0, 1, 1];
const crossentropyOf = (z: number, y: number) => Math.max(z, 0) - z * y + Math.log1p(Math.exp(-Math.abs(z)));
const PER_LABEL = LOGITS.map((z, i) => crossentropyOf(z, LABELS[i] as number));

/**
 * Three labels a row; the outputs are the inputs at first. With an axis of 1 behind them, if that
 * is requested.
 */
function labelModel(withAxis = false): Sequential {
  const dense = layers.dense({units: 3, useBias: false, inputShape: [3]});
  const model = sequential({layers: [dense, ...(withAxis ? [layers.reshape({targetShape: [3, 1]})] : [])]});
  model.setWeights([eye(3)]);
  return model;
}

const batch = () => [tensor2d(LOGITS, [3, 3]), tensor2d(LABELS, [3, 3])] as const;
const mining = (loss: OhemStepOptions['loss'], more: Partial<OhemStepOptions> = {}): OhemStepOptions =>
  ({loss, select: topK({k: 3}), optimizer: train.sgd(0.1), granularity: 'element', ...more}) as OhemStepOptions;
const fromLogits = {fromLogits: true};

/** The crossentropy of each label, one value for each. */
const ofEach = (yTrue: Tensor, z: Tensor): Tensor => add(sub(relu(z), mul(z, yTrue)), log1p(exp(neg(abs(z)))));

describeOnBackends('ohemStep with elements that are labels [B, D]', () => {
  it.each([
    ['binaryCrossentropy', () => binaryCrossentropy(fromLogits)],
    ['a sum of binary losses', () => weightedSum([{loss: binaryCrossentropy(fromLogits)}])],
    ['a function of yes-or-no labels', () => Object.assign(ofEach, {binary: {fromLogits: true}})],
  ] as [string, () => PerSampleLoss][])('mines each label by its loss, for %s', async (_, loss) => {
    const report = ohemStep(labelModel(), mining(loss()))(...batch());
    expectClose(report.losses, PER_LABEL, CLOSE);
    expect([...report.selection.indices.dataSync()]).toEqual([3, 5, 2]);
    const {kept, batchLoss} = await report.read();
    expect(kept).toBe(3);
    expect(batchLoss).toBeCloseTo(PER_LABEL.reduce((sum, loss) => sum + loss) / 9, 5);
  });

  it('trains as on the same model with an output [B, D, 1], whatever is kept and ignored', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({min: 1, max: 20}),
        fc.boolean(),
        fc.constantFrom(binaryCrossentropy, binaryFocalCrossentropy),
        (seed, k, isWeighted, make) => {
          tidy(() => {
            const random = randomFrom(seed);
            const numbers = (f: () => number) => Array.from({length: 12}, f);
            const xs = tensor2d(
              numbers(() => 4 * random() - 2),
              [4, 3],
            );
            const ys = tensor2d(
              numbers(() => [0, 1, 255][Math.floor(3 * random())] as number),
              [4, 3],
            );
            const sampleWeight = tensor2d(numbers(random), [4, 3]);
            const given = isWeighted ? {sampleWeight, classWeight: {1: 5}} : {};
            const options = mining(make({fromLogits: true, ignoreLabel: 255}), {select: topK({k})});
            const [plain, reshaped] = [labelModel(), labelModel(true)];
            ohemStep(plain, options)(xs, ys, given).dispose();
            ohemStep(reshaped, options)(xs, ys, given).dispose();
            expectClose(weightValues(plain).flat(), weightValues(reshaped).flat(), CLOSE);
          });
        },
      ),
      {...RUNS, numRuns: 30},
    );
  });

  it('weighs yes and no by classWeight', () => {
    const [xs, ys] = batch();
    const {losses} = ohemStep(labelModel(), mining(binaryCrossentropy(fromLogits)))(xs, ys, {classWeight: {1: 5}});
    expectClose(
      losses,
      PER_LABEL.map((loss, i) => loss * (LABELS[i] === 1 ? 5 : 1)),
      CLOSE,
    );
  });

  it('takes the context by label, and gives each the row that it belongs to', () => {
    const groups: number[][] = [];
    const select = topK({k: 2});
    const spy: typeof select = (losses, context) => {
      groups.push([...(context?.group?.dataSync() ?? [])]);
      return select(losses, context);
    };
    const [xs, ys] = batch();
    const step = ohemStep(labelModel(), mining(hinge(), {select: spy}));
    const {selection} = step(xs, ys, {valid: tensor2d([1, 1, 1, 0, 1, 1, 1, 1, 1], [3, 3])});
    expect(groups).toEqual([[0, 0, 0, 1, 1, 1, 2, 2, 2]]);
    expect([...selection.indices.dataSync()]).not.toContain(3);
  });

  it('works in fitOhem for a model compiled with the name of the loss, and in ohemLoss', async () => {
    const [xs, ys] = batch();
    const probabilities = () => {
      const dense = layers.dense({units: 3, useBias: false, activation: 'sigmoid', inputShape: [3]});
      const model = sequential({layers: [dense]});
      model.setWeights([eye(3)]);
      return model;
    };
    const options = {select: topK({k: 3}), granularity: 'element', batchSize: 3, verbose: 0} as const;
    const [fitted, compiled] = [probabilities(), probabilities()];
    fitted.compile({optimizer: train.sgd(0.1), loss: 'binaryCrossentropy'});
    const {history} = await fitOhem(fitted, xs, ys, options);
    expect(history.kept).toEqual([3]);
    const loss = ohemLoss(binaryCrossentropy(), topK({k: 3}), {granularity: 'element'});
    compiled.compile({optimizer: train.sgd(0.1), loss});
    await compiled.trainOnBatch(xs, ys);
    expectClose(weightValues(fitted).flat(), weightValues(compiled).flat(), CLOSE);
    expect(weightValues(fitted)).not.toEqual(weightValues(probabilities()));
  });

  describe('keeps', () => {
    it('rows as they are for one label, and for losses of classes or numbers', () => {
      const losses = ohemStep(labelModel(), mining(meanSquaredError()))(...batch()).losses;
      expect(losses.shape).toEqual([3]);
      const one = sequential({layers: [layers.dense({units: 1, inputShape: [3]})]});
      const [xs] = batch();
      expect(ohemStep(one, mining(binaryCrossentropy(fromLogits)))(xs, tensor1d([0, 1, 1])).losses.shape).toEqual([3]);
    });

    it('pixels of several labels, whose mean it takes', () => {
      const model = sequential({layers: [layers.dense({units: 3, useBias: false, inputShape: [2, 3]})]});
      model.setWeights([eye(3)]);
      const [xs, ys] = [tensor2d(LOGITS.slice(0, 6), [2, 3]), tensor2d(LABELS.slice(0, 6), [2, 3])];
      const step = ohemStep(model, mining(binaryCrossentropy(fromLogits)));
      const {losses} = step(reshape(xs, [1, 2, 3]), reshape(ys, [1, 2, 3]));
      const means = [0, 3].map((first) => PER_LABEL.slice(first, first + 3).reduce((sum, loss) => sum + loss) / 3);
      expectClose(losses, means, CLOSE);
    });
  });

  it('says how a function of single values is said to be one of labels', () => {
    const own = (yTrue: Tensor, z: Tensor) => ofEach(yTrue, z);
    expect(() => ohemStep(labelModel(), mining(own))(...batch())).toThrow(
      'For binary labels, declare it: Object.assign(loss, {binary: {fromLogits: true}}).',
    );
  });
});
