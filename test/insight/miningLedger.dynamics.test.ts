import {gather, memory, slice, Tensor, tensor1d, tensor2d, tidy, train} from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  fitOhem,
  jointLoss,
  type MiningLedger,
  miningLedger,
  ohemStep,
  type RowDynamics,
  sparseCategoricalCrossentropy,
  thresholdSamples,
  topK,
} from 'ohem-tfjs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS} from '../support/property';
import {tinyModel, tinyXs, tinyYs} from '../support/tinyModel';

type Given = RowDynamics<number[]>;

const everything = (ledger: MiningLedger) => {
  const {confidence, variability, correctness} = ledger.cartography();
  return [ledger.aum(), ledger.forgetting(), ledger.el2n(), confidence, variability, correctness].map((of) => [...of]);
};

/** A ledger of one row for each list of margins, in the order of the passes. */
function withMargins(margins: number[][]): MiningLedger {
  const ledger = miningLedger(margins.length, {dynamics: true});
  for (const [row, ofRow] of margins.entries()) {
    for (const margin of ofRow) {
      const dynamics = {margins: [margin], confidences: [0.5], correct: [margin > 0 ? 1 : 0], errors: [0.1]};
      ledger.record([row], [1], [1], dynamics);
    }
  }
  return ledger;
}

describe('miningLedger with dynamics', () => {
  it('knows nothing of a row before it has seen it', () => {
    for (const of of everything(miningLedger(1, {dynamics: true}))) expect(of).toEqual([Number.NaN]);
  });

  it('counts what a plain loop counts, for random passes', () => {
    const pass = fc.record({
      row: fc.nat(3),
      margin: fc.float({min: -20, max: 20, noNaN: true}),
      confidence: fc.float({min: 0, max: 1, noNaN: true}),
      error: fc.float({min: 0, max: 1.5, noNaN: true}),
    });
    fc.assert(
      fc.property(fc.array(pass, {maxLength: 40}), (passes) => {
        const ledger = miningLedger(4, {dynamics: true});
        for (const {row, margin, confidence, error} of passes) {
          const correct = [margin > 0 ? 1 : 0];
          const dynamics = {margins: [margin], confidences: [confidence], correct, errors: [error]};
          ledger.record([row], [1], [0], dynamics);
        }
        for (let row = 0; row < 4; row++) {
          const ofRow = passes.filter((each) => each.row === row);
          if (ofRow.length === 0) continue;
          const mean = (of: (each: (typeof ofRow)[number]) => number) =>
            ofRow.reduce((sum, each) => sum + of(each), 0) / ofRow.length;
          const confidence = mean((each) => each.confidence);
          const isRight = ofRow.map(({margin}) => margin > 0);
          const forgotten = isRight.filter((right, i) => !right && isRight[i - 1] === true).length;
          const expected = [
            mean((each) => each.margin),
            isRight.includes(true) ? forgotten : Number.POSITIVE_INFINITY,
            mean((each) => each.error),
            confidence,
            Math.sqrt(mean((each) => (each.confidence - confidence) ** 2)),
            isRight.filter(Boolean).length,
          ];
          const got = everything(ledger).map((of) => of[row] as number);
          expect(got[1]).toBe(expected[1]);
          const others = (of: number[]) => of.filter((_, place) => place !== 1);
          expectClose(others(got), others(expected), {absolute: 2e-5, relative: 1e-5});
        }
      }),
      RUNS,
    );
  });

  it('comes back from JSON to the bit, and continues', () => {
    const ledger = withMargins([[1, -2, 3], [], [-1]]);
    const text = JSON.stringify(ledger);
    const restored = miningLedger.fromJSON(JSON.parse(text));
    expect(everything(restored)).toEqual(everything(ledger));
    expect([JSON.stringify(restored), restored.dynamics]).toEqual([text, {fromLogits: false}]);
    const dynamics = {margins: [0.1], confidences: [0.6], correct: [1], errors: [0.3]};
    for (const each of [ledger, restored]) each.record([2], [0.5], [1], dynamics);
    expect(everything(restored)).toEqual(everything(ledger));
  });

  it('writes JSON as before where it keeps none, and reads that', () => {
    const before = {format: 'ohem-tfjs mining ledger', version: 1, size: 1, rows: miningLedger(1).toJSON().rows};
    expect(JSON.parse(JSON.stringify(miningLedger(1)))).toEqual(before);
    expect(miningLedger.fromJSON(before).dynamics).toBeUndefined();
  });

  it('refuses JSON that contradicts itself', () => {
    const saved = withMargins([[1]]).toJSON();
    const from = (changed: object) => () => miningLedger.fromJSON({...saved, ...changed});
    expect(from({dynamics: undefined})).toThrow('miningLedger.fromJSON: value must be a result of toJSON()');
    expect(from({version: 1})).toThrow('miningLedger.fromJSON: rows must hold 20 bytes in base64, got 52.');
    const counts = Uint32Array.of(1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0);
    expect(from({rows: Buffer.from(counts.buffer).toString('base64')})).toThrow(
      new RangeError(
        'miningLedger.fromJSON: rows must have right <= observed and forgotten <= right, got more at row 0.',
      ),
    );
  });

  it('suspects all rows at or below the percentile of the threshold samples, lowest first', () => {
    const ledger = withMargins([[-3], [2], [-1], [0], [-5], [], [-1]]);
    const suspects = (thresholdRows: number[], percentile?: number) => [
      ...ledger.suspectsByMargin({thresholdRows, ...(percentile !== undefined && {percentile})}),
    ];
    // The samples have −3 and −1: at 99 % the threshold is −1.02, at 50 % it is −2.
    expect(suspects([0, 2])).toEqual([4]);
    expect(suspects([0, 2], 100)).toEqual([4, 6]);
    expect(suspects([0, 2], 50)).toEqual([4]);
    expect(suspects([0], 0)).toEqual([4]);
    expect(suspects([1])).toEqual([4, 0, 2, 6, 3]);
    expect(() => suspects([5])).toThrow(
      new RangeError(
        'miningLedger.suspectsByMargin: thresholdRows must hold a row that was seen, got none. Train on the labels of ' +
          'thresholdSamples first.',
      ),
    );
    expect(() => suspects([])).toThrow(TypeError);
    expect(() => suspects([7])).toThrow('thresholdRows must hold integers from 0 to 6, got 7.');
    expect(() => suspects([0], 101)).toThrow('percentile must be from 0 to 100, got 101.');
  });

  it('refuses by name what does not fit, and enters nothing of it', () => {
    const [plain, ledger] = [miningLedger(2), withMargins([[1], [2]])];
    const before = JSON.stringify(ledger);
    const whole: Given = {margins: [1], confidences: [1], correct: [1], errors: [0]};
    const record = (dynamics?: unknown) => () => ledger.record([0], [1], [1], dynamics as Given);
    expect(record()).toThrow(
      new TypeError(
        'miningLedger.record: dynamics must be given to a ledger that keeps them, got undefined. Build the step with ' +
          '{dynamics: true}; its report then has them.',
      ),
    );
    expect(record({...whole, errors: []})).toThrow(
      'dynamics.errors must hold one number for each of the 1 rows, got 0.',
    );
    expect(record({...whole, confidences: [-3]})).toThrow(
      new RangeError(
        'miningLedger.record: dynamics must hold probabilities from 0 to 1, got -3 at position 0. If the model ' +
          'returns logits, pass {dynamics: {fromLogits: true}}.',
      ),
    );
    expect(JSON.stringify(ledger)).toBe(before);
    for (const name of ['aum', 'forgetting', 'cartography', 'el2n'] as const) {
      expect(() => plain[name]()).toThrow(
        new TypeError(
          `miningLedger.${name}: the ledger must keep dynamics, got one without. Build it with ` +
            'miningLedger(rows, {dynamics: true}).',
        ),
      );
    }
    expect(() => plain.suspectsByMargin({thresholdRows: [0]})).toThrow(TypeError);
  });
});

describe('thresholdSamples', () => {
  const labels = Array.from({length: 100}, (_, row) => row % 4);

  it('draws a share of the rows that is that of a class, the same for the same seed', () => {
    const {labels: given, rows, extraClass} = thresholdSamples(labels, {seed: 3});
    expect([rows.length, new Set(rows).size, extraClass]).toEqual([20, 20, 4]);
    expect([...given].map((label, row) => (label === 4 ? rows.includes(row) : label === labels[row]))).toEqual(
      labels.map(() => true),
    );
    expect(thresholdSamples(labels, {seed: 3}).rows).toEqual(rows);
    expect(thresholdSamples(labels, {seed: 4}).rows).not.toEqual(rows);
  });

  it('draws two sets that have no row in common', () => {
    const [first, second] = ([0, 1] as const).map((set) => [...thresholdSamples(labels, {set}).rows]);
    expect(new Set([...(first as number[]), ...(second as number[])]).size).toBe(40);
  });
});

describeOnBackends('The dynamics of a step', () => {
  afterEach(() => vi.restoreAllMocks());
  const options = {loss: categoricalCrossentropy(), select: topK({k: 2}), dynamics: true} as const;

  it('are refused by a ledger that takes the predictions for something else than the step does', async () => {
    const ledger = miningLedger(6, {dynamics: {fromLogits: true}});
    const step = ohemStep(tinyModel(), {...options, optimizer: train.sgd(0.1)});
    const report = step(tinyXs(), tinyYs());
    expect(report.dynamics?.fromLogits).toBe(false);
    await expect(ledger.observe([0, 1, 2, 3, 4, 5], report)).rejects.toThrow(
      new RangeError(
        'miningLedger.observe: fromLogits must be true in the step as in the ledger, got false. Build the ledger and ' +
          'the step with the same {dynamics: {fromLogits}}.',
      ),
    );
    expect(ledger.seen(0)).toBe(0);
    report.dispose();
    step.dispose();
  });

  it('are entered by one read with the losses, also from a dataset that is resumed', async () => {
    const ledger = miningLedger(6, {dynamics: true});
    const step = ohemStep(tinyModel(), {...options, optimizer: train.sgd(0.1)});
    const report = step(tinyXs(), tinyYs());
    const [tensors, read] = [memory().numTensors, vi.spyOn(Tensor.prototype, 'data')];
    await ledger.observe([0, 1, 2, 3, 4, 5], report);
    expect(read).toHaveBeenCalledTimes(1);
    expect(memory().numTensors).toBe(tensors);
    // Weights [[1, −1], [0.5, 2]]: of the first row the logits are 1 and −1, of the second 0.5 and
    // 2.
    expectClose(ledger.aum().slice(0, 2), [2, 1.5], {absolute: 1e-6, relative: 1e-5});
    expect([...ledger.cartography().correctness]).toEqual([1, 1, 1, 0, 1, 0]);
    report.dispose();
  });

  it('enter the same by fitOhem as by a loop, and leak nothing', async () => {
    const [ofFit, ofLoop] = [miningLedger(6, {dynamics: true}), miningLedger(6, {dynamics: true})];
    const [xs, ys, model] = [tinyXs(), tinyYs(), tinyModel()];
    const shared = {loss: options.loss, select: options.select};
    const [fitted, before] = [tinyModel(), memory().numTensors];
    const optimizer = train.sgd(0.1);
    const ofTraining = {...shared, optimizer, batchSize: 3, epochs: 3, shuffle: false, verbose: 0} as const;
    await fitOhem(fitted, xs, ys, {...ofTraining, ledger: ofFit});
    optimizer.dispose();
    expect(memory().numTensors).toBe(before);
    const step = ohemStep(model, {...shared, dynamics: ofLoop.dynamics, optimizer: train.sgd(0.1)});
    for (let i = 0; i < 6; i++) {
      const first = 3 * (i % 2);
      const report = step(slice(xs, [first, 0], [3, 2]), slice(ys, [first, 0], [3, 2]));
      await ofLoop.observe([first, first + 1, first + 2], report);
      report.dispose();
    }
    expect(everything(ofFit)).toEqual(everything(ofLoop));
  });

  it('are those of all rows that were accumulated, and of `step.gradients`', () => {
    const [xs, ys] = [tinyXs(), tinyYs()];
    const alone = ohemStep(tinyModel(), {...options, optimizer: train.sgd(0)});
    const whole = alone(xs, ys).dynamics as RowDynamics<Tensor>;
    expectClose(alone.gradients(xs, ys).report.dynamics?.margins as Tensor, whole.margins, {absolute: 0, relative: 0});
    const accumulated = {...options, optimizer: train.sgd(0), accumulate: 2, selectOver: 'accumulated'} as const;
    const step = ohemStep(tinyModel(), accumulated);
    const half = (first: number) => step(slice(xs, [first, 0], [3, 2]), slice(ys, [first, 0], [3, 2]));
    expect(half(0).dynamics).toBeUndefined();
    expectClose(half(3).dynamics?.errors as Tensor, whole.errors, {absolute: 1e-6, relative: 1e-6});
  });

  it('leave out rows that are not valid and rows that are not finite', async () => {
    const ledger = miningLedger(3, {dynamics: true});
    const step = ohemStep(tinyModel(), {...options, optimizer: train.sgd(0.1)});
    const xs = tensor2d([1, 0, Number.NaN, 1, 2, 0], [3, 2]);
    const report = step(xs, tensor2d([1, 0, 0, 1, 1, 0], [3, 2]), {valid: tensor1d([1, 1, 0])});
    await ledger.observe([0, 1, 2], report);
    expect([0, 1, 2].map((row) => ledger.seen(row))).toEqual([1, 1, 1]);
    expect([...ledger.aum()].map(Number.isNaN)).toEqual([false, true, true]);
  });

  it('see a sigmoid as two classes, from probabilities and from logits', () => {
    const [xs, ys] = [tensor2d([[1], [-2], [3]]), tensor2d([[1], [1], [0]])];
    for (const fromLogits of [false, true]) {
      const activation = fromLogits ? 'linear' : 'sigmoid';
      const unit = layers.dense({units: 1, activation, useBias: false, kernelInitializer: 'ones', inputShape: [1]});
      const step = ohemStep(sequential({layers: [unit]}), {
        ...{loss: binaryCrossentropy({fromLogits}), optimizer: train.sgd(0.1), dynamics: {fromLogits}},
      });
      const {margins, confidences, correct, errors} = step(xs, ys).dynamics as RowDynamics<Tensor>;
      const p = [1, -2, -3].map((z) => 1 / (1 + Math.exp(-z)));
      expectClose(margins, [1, -2, -3], {absolute: 1e-5, relative: 1e-5});
      expectClose(confidences, p, {absolute: 1e-6, relative: 1e-5});
      expect([...correct.dataSync()]).toEqual([1, 0, 0]);
      const lengths = p.map((ofLabel) => Math.SQRT2 * (1 - ofLabel));
      expectClose(errors, lengths, {absolute: 1e-6, relative: 1e-5});
    }
  });

  it('are refused where there is not one label a row, before anything has changed', () => {
    const built = (units: number, more: object) => () =>
      ohemStep(sequential({layers: [layers.dense({units, activation: 'sigmoid', inputShape: [2]})]}), {
        ...{optimizer: train.sgd(0.1), dynamics: true, ...more},
      });
    const label = 'ohemStep: dynamics must be of a classifier with one output and one label a row, got ';
    expect(built(3, {loss: binaryCrossentropy()})).toThrow(new RegExp(`^${label}an output of shape \\[\\?, 3\\]`));
    expect(built(1, {loss: jointLoss((_, [p]) => tidy(() => gather(p as Tensor, 0) as never))})).toThrow(label);
    expect(built(1, {loss: binaryCrossentropy(), granularity: 'element'})).toThrow(
      'ohemStep: dynamics must be left out if elements are mined',
    );
    expect(built(1, {loss: binaryCrossentropy(), dynamics: {fromLogit: true}})).toThrow("Did you mean 'fromLogits'?");
    expect(built(1, {loss: binaryCrossentropy(), dynamics: {fromLogits: 1}})).toThrow(TypeError);
  });

  it('are refused from logits that are taken for probabilities, before anything is trained', async () => {
    const built = (activation: 'linear' | 'softmax') =>
      sequential({layers: [layers.dense({units: 2, activation, inputShape: [2]})]});
    const model = built('linear');
    const before = model.getWeights().map((weight) => [...weight.dataSync()]);
    const logits = {
      loss: sparseCategoricalCrossentropy({fromLogits: true}),
      optimizer: train.sgd(0.1),
      verbose: 0,
    } as const;
    const ledger = miningLedger(2, {dynamics: true});
    const [xs, ys] = [tensor2d([1, 0, 0, 1], [2, 2]), tensor1d([0, 1])];
    await expect(fitOhem(model, xs, ys, {...logits, ledger})).rejects.toThrow(
      new RangeError(
        'fitOhem: dynamics.fromLogits must be true for a model that returns logits, got false. Build the ledger, or a ' +
          'step of your own, with {dynamics: {fromLogits: true}}.',
      ),
    );
    expect(model.getWeights().map((weight) => [...weight.dataSync()])).toEqual(before);
    const told = miningLedger(2, {dynamics: {fromLogits: true}});
    await fitOhem(model, xs, ys, {...logits, ledger: told, epochs: 1});
    expect(told.seen(0)).toBe(1);
    const step = () =>
      ohemStep(built('softmax'), {
        ...{loss: sparseCategoricalCrossentropy(), optimizer: train.sgd(0.1), dynamics: {fromLogits: true}},
      });
    expect(step).toThrow(
      /^ohemStep: dynamics.fromLogits must be false for a model that returns probabilities, got true/,
    );
  });

  it('are refused of numbers behind a single sigmoid, before the step', () => {
    const model = sequential({layers: [layers.dense({units: 1, activation: 'sigmoid', inputShape: [2]})]});
    const before = [...(model.getWeights()[0] as Tensor).dataSync()];
    const step = ohemStep(model, {loss: 'meanSquaredError', optimizer: train.sgd(0.1), dynamics: true});
    const xs = tensor2d([1, 0, 0, 1], [2, 2]);
    expect(() => step(xs, tensor1d([0, 0.4]))).toThrow(
      /^ohemStep: ys must hold labels 0 and 1, or -1 and 1, for dynamics, got 0.4\d* at position 1. Omit/,
    );
    expect([...(model.getWeights()[0] as Tensor).dataSync()]).toEqual(before);
    step(xs, tensor1d([0, 0.4]), {valid: tensor1d([1, 0])}).dispose();
    step(xs, tensor1d([0, 1])).dispose();
  });

  it('are no option of fitOhem: its ledger enables them', async () => {
    const fit = fitOhem(tinyModel(), tinyXs(), tinyYs(), {...options, optimizer: train.sgd(0.1), verbose: 0});
    await expect(fit).rejects.toThrow(
      new TypeError(
        'fitOhem: dynamics must be left out: the ledger decides, got true. Pass {ledger: miningLedger(rows, ' +
          '{dynamics: true})}.',
      ),
    );
  });
});
