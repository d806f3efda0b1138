import {MathBackendCPU} from '@tensorflow/tfjs-backend-cpu';
import {
  concat,
  copyRegisteredKernels,
  engine,
  getBackend,
  matMul,
  memory,
  oneHot,
  randomNormal,
  registerBackend,
  removeBackend,
  setBackend,
  softmax,
  Tensor,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  train,
  variable,
} from '@tensorflow/tfjs-core';
import {
  input,
  type LayersModel,
  layers,
  model as layersModel,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers';
import {
  all,
  earlyStopped,
  type FitOhemArgs,
  type FunctionModel,
  fitOhem,
  infoBatch,
  jointLoss,
  kakurenbo,
  type LossLike,
  meanSquaredError,
  miningLedger,
  topK,
} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {weightValues} from '../support/tinyModel';
import {allRows, rotating, type Seen, tinySampler} from '../support/tinySamplers';

/** A model that predicts its inputs. */
function passing(units: number, loss: string | LossLike): LayersModel {
  const model = sequential({
    layers: [layers.dense({units, useBias: false, kernelInitializer: 'identity', inputShape: [units]})],
  });
  model.compile({optimizer: train.sgd(0), loss: loss as string});
  return model;
}

describeOnBackends('The scores that a sampler gets', () => {
  const classes = () => tinySampler(undefined, ['correct', 'confidence']);
  async function scored(model: LayersModel, x: Tensor, y: Tensor, args: FitOhemArgs = {}): Promise<Seen> {
    const sampler = classes();
    await fitOhem(model, x, y, {batchSize: 2, epochs: 1, seed: 1, verbose: 0, sampler, ...args});
    return sampler.seen[0] as Seen;
  }

  it('is the softmax over the classes of logits, not over the rows of the batch', async () => {
    // Certain each, which a softmax over the batch would not say.
    const x = tensor2d([
      [9, 0, 0],
      [9, 1, 0],
      [0, 9, 0.5],
      [0, 1, 0],
    ]);
    const y = oneHot(tensor1d([0, 1, 1, 1], 'int32'), 3);
    const logits = (fromLogits: Tensor, yPred: Tensor) => categorical(fromLogits, yPred);
    const {categoricalCrossentropy} = await import('ohem-tfjs');
    const categorical = categoricalCrossentropy({fromLogits: true});
    const {correct, confidence} = await scored(passing(3, 'meanSquaredError'), x, y, {loss: logits});
    expect(correct).toEqual([1, 0, 1, 1]);
    const softmaxOf = (row: number[]) => Math.exp(Math.max(...row)) / row.reduce((sum, z) => sum + Math.exp(z), 0);
    const expected = [
      [9, 0, 0],
      [9, 1, 0],
      [0, 9, 0.5],
      [0, 1, 0],
    ].map(softmaxOf);
    for (const [row, value] of expected.entries()) expect(confidence?.[row]).toBeCloseTo(value, 5);
  });

  it('is the largest probability of a model that predicts these, with labels of all forms', async () => {
    const x = tensor2d([
      [0.7, 0.2, 0.1],
      [0.1, 0.5, 0.4],
      [0.25, 0.25, 0.5],
      [0.1, 0.1, 0.8],
    ]);
    const labels = [0, 1, 0, 2];
    const forms: [string, Tensor][] = [
      ['categoricalCrossentropy', oneHot(tensor1d(labels, 'int32'), 3)],
      ['sparseCategoricalCrossentropy', tensor1d(labels, 'int32')],
      ['sparseCategoricalCrossentropy', tensor2d(labels, [4, 1])],
    ];
    for (const [loss, y] of forms) {
      const {correct, confidence} = await scored(passing(3, loss), x, y);
      expect(correct).toEqual([1, 1, 0, 1]);
      expect(confidence).toEqual([0.7, 0.5, 0.5, 0.8].map((value) => expect.closeTo(value, 5)));
    }
  });

  it('is the probability of the answer to a yes-or-no question', async () => {
    const y = tensor2d([1, 0, 0, 1], [4, 1]);
    const {correct, confidence} = await scored(
      passing(1, 'binaryCrossentropy'),
      tensor2d([0.9, 0.2, 0.6, 0.5], [4, 1]),
      y,
    );
    expect(correct).toEqual([1, 1, 0, 0]);
    expect(confidence).toEqual([0.9, 0.8, 0.6, 0.5].map((value) => expect.closeTo(value, 5)));
  });

  it('is the largest of the probabilities that a yes-or-no loss takes one by one', async () => {
    const {binaryCrossentropy} = await import('ohem-tfjs');
    const p = [
      [0.9, 0.8, 0.1],
      [0.2, 0.3, 0.1],
      [0.6, 0.95, 0.2],
    ];
    const y = oneHot(tensor1d([0, 1, 0], 'int32'), 3);
    const expected = [0.9, 0.3, 0.95].map((value) => expect.closeTo(value, 5));
    const {correct, confidence} = await scored(passing(3, 'binaryCrossentropy'), tensor2d(p), y);
    expect(correct).toEqual([1, 1, 0]);
    expect(confidence).toEqual(expected);
    const logits = tensor2d(p.map((row) => row.map((value) => Math.log(value / (1 - value)))));
    const loss = binaryCrossentropy({fromLogits: true});
    const ofLogits = await scored(passing(3, 'meanSquaredError'), logits, y, {loss});
    expect(ofLogits.correct).toEqual([1, 1, 0]);
    expect(ofLogits.confidence).toEqual(expected);
  });

  it('is not asked of several outputs or a joint loss', async () => {
    const x = input({shape: [2]});
    const heads = ['a', 'b'].map((name) => layers.dense({units: 2, name}).apply(x) as SymbolicTensor);
    const two = layersModel({inputs: x, outputs: heads});
    two.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
    const weights = weightValues(two);
    const y = tensor2d([
      [1, 0],
      [0, 1],
    ]);
    const args = {batchSize: 2, epochs: 1, verbose: 0, sampler: classes()} as const;
    await expect(fitOhem(two, y, [y, y], args)).rejects.toThrow(
      'fitOhem: model must have one output for the sampler tiny, got 2. It needs class labels.',
    );
    const loss = jointLoss(([truth], [predicted]) => meanSquaredError()(truth as Tensor, predicted as Tensor));
    const own = {...args, sampler: classes(), loss};
    await expect(fitOhem(two, y, [y], own)).rejects.toThrow(
      'fitOhem: model must have one output for the sampler tiny, got a joint loss.',
    );
    expect(weightValues(two)).toEqual(weights);
    // Without such needs any model will do.
    const plain = tinySampler();
    await fitOhem(two, y, [y, y], {...args, sampler: plain});
    expect(plain.seen[0]?.losses.every(Number.isFinite)).toBe(true);
  });

  it('is NaN for a row whose loss is not finite, which is neither right nor sure', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const x = tensor2d([
        [0.9, 0.1],
        [Number.NaN, 1],
        [0.2, 0.8],
        [0.5, 0.5],
      ]);
      const y = oneHot(tensor1d([0, 1, 1, 1], 'int32'), 2);
      const {losses, correct, confidence} = await scored(passing(2, 'categoricalCrossentropy'), x, y);
      expect(losses.map(Number.isNaN)).toEqual([false, true, false, false]);
      expect([correct?.[1], confidence?.[1]]).toEqual([0, Number.NaN]);
      expect(correct?.[2]).toBe(1);
    } finally {
      warn.mockRestore();
    }
  });

  it('is of probabilities beside a row that overflows', async () => {
    const x = tensor2d([
      [0.9, 0.1],
      [3e38, 3e38],
      [0.2, 0.8],
    ]);
    const y = oneHot(tensor1d([0, 1, 1], 'int32'), 2);
    const {confidence} = await scored(passing(2, 'categoricalCrossentropy'), x, y, {batchSize: 3});
    expect([confidence?.[0], confidence?.[2]]).toEqual([expect.closeTo(0.9, 5), expect.closeTo(0.8, 5)]);
  });

  it('comes from each batch, also if several make an update or are ranked together', async () => {
    const {xs, ys} = resumableData();
    for (const own of [{accumulate: 2}, {accumulate: 2, selectOver: 'accumulated'}] as const) {
      const sampler = rotating();
      const select = topK({ratio: 0.5});
      // 27 rows: of three batches, one is left for an update of its own.
      const args: FitOhemArgs = {...RESUMABLE(), ...own, select, epochs: 2, batchSize: 10, sampler};
      const {history} = await fitOhem(resumableModel(train.sgd(0)), xs, ys, args);
      expect(history.rows).toEqual([26, 27]);
      expect(history.rescored).toEqual([14, 13]);
      expect(sampler.seen[0]?.losses.every(Number.isFinite)).toBe(true);
      expect((history.kept as number[]).every((kept) => kept > 12 && kept < 15)).toBe(true);
    }
  });

  it('is read with the other figures of a step on a device, by one read', async () => {
    const {xs, ys} = resumableData();
    const backend = getBackend();
    copyRegisteredKernels('cpu', 'far');
    registerBackend('far', () => new MathBackendCPU());
    const trained = async () => {
      const sampler = tinySampler(() => ({rescore: Int32Array.of(1, 2)}), ['correct', 'confidence']);
      const args: FitOhemArgs = {...RESUMABLE(), select: topK({ratio: 0.5}), epochs: 1, batchSize: 20, sampler};
      await fitOhem(resumableModel(train.sgd(0.1)), xs, ys, {...args, ledger: miningLedger(40)});
      return sampler.seen[0] as Seen;
    };
    await setBackend('far');
    const read = vi.spyOn(Tensor.prototype, 'data');
    try {
      const seen = await trained();
      // Two steps, and the rows at the end.
      expect(read).toHaveBeenCalledTimes(3);
      await setBackend('cpu');
      const onHost = await trained();
      expect(seen.correct).toEqual(onHost.correct);
      for (const row of allRows(40)) expect(seen.losses[row]).toBeCloseTo(onHost.losses[row] as number, 5);
    } finally {
      read.mockRestore();
      await setBackend(backend);
      removeBackend('far');
    }
  });

  it('comes from four batches at once at the end of an epoch, without a tape', async () => {
    const {xs, ys} = resumableData();
    const weights = variable(randomNormal([4, 3], 0, 1, 'float32', 5));
    const passes: {rows: number; isTaped: boolean}[] = [];
    const predict = (x: Tensor) => {
      const {activeTape} = engine().state as {activeTape?: unknown[] | null};
      passes.push({rows: x.shape[0] as number, isTaped: Boolean(activeTape)});
      return softmax(matMul(x as Tensor2D, weights as Tensor2D));
    };
    const model: FunctionModel = {predict, variables: [weights]};
    const rows = allRows(7);
    const rescore = allRows(40).slice(7);
    const scored = async () => {
      const args: FitOhemArgs = {batchSize: 5, epochs: 1, seed: 1, verbose: 0, select: all(), optimizer: 'sgd'};
      const sampler = tinySampler(() => ({rows, rescore}));
      await fitOhem(model, xs, ys, {...args, loss: 'categoricalCrossentropy', sampler});
      return passes.splice(0);
    };
    // The first call also finds out about the model.
    await scored();
    expect(await scored()).toEqual([
      {rows: 5, isTaped: true},
      {rows: 2, isTaped: true},
      {rows: 20, isTaped: false},
      {rows: 13, isTaped: false},
    ]);
    weights.dispose();
  });

  it('comes from batches of the fixed size of a model', async () => {
    const {xs, ys} = resumableData();
    const sizes: number[] = [];
    const model = sequential({layers: [layers.dense({units: 3, activation: 'softmax', batchInputShape: [4, 4]})]});
    model.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy'});
    const [dense] = model.layers;
    const call = (dense as {call: (...args: unknown[]) => unknown}).call.bind(dense);
    Object.assign(dense as object, {
      call(inputs: Tensor | Tensor[], ...others: unknown[]) {
        sizes.push(([inputs].flat()[0] as Tensor).shape[0] as number);
        return call(inputs, ...others);
      },
    });
    const sampler = tinySampler(() => ({rows: allRows(4), rescore: allRows(40).slice(4)}));
    const {history} = await fitOhem(model, xs, ys, {batchSize: 4, epochs: 1, seed: 1, verbose: 0, sampler});
    expect(history.rescored).toEqual([36]);
    expect(sizes.slice(-9)).toEqual(Array(9).fill(4));
  });

  it('is beside a ledger, which counts what was run forward in steps', async () => {
    const {xs, ys} = resumableData();
    const ledger = miningLedger(40);
    await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), epochs: 3, sampler: rotating(), ledger});
    expect(Array.from(allRows(40), ledger.seen)).toEqual(Array(40).fill(2));
  });
});

describeOnBackends('The samplers of the library in a training run', () => {
  it('leave out what is learned, and save passes', async () => {
    // Two clouds far apart, and some rows in between.
    const x = tidy(() =>
      concat([
        randomNormal([30, 2], 4, 0.5, 'float32', 1),
        randomNormal([30, 2], -4, 0.5, 'float32', 2),
        randomNormal([20, 2], 0, 1, 'float32', 3),
      ]),
    );
    const y = tidy(() =>
      oneHot(
        tensor1d([...Array(30).fill(0), ...Array(30).fill(1), ...Array.from({length: 20}, (_, i) => i % 2)], 'int32'),
        2,
      ),
    );
    const samplers = [infoBatch(), kakurenbo(), earlyStopped({threshold: 0.05})];
    for (const sampler of samplers) {
      const model = sequential({
        layers: [layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'zeros', inputShape: [2]})],
      });
      model.compile({optimizer: train.sgd(0.05), loss: 'categoricalCrossentropy'});
      const before = memory().numTensors;
      const {history} = await fitOhem(model, x, y, {
        batchSize: 8,
        epochs: 10,
        seed: 3,
        verbose: 0,
        select: all(),
        sampler,
      });
      expect(memory().numTensors).toBe(before);
      const sum = (name: string) => (history[name] as number[]).reduce((total, count) => total + count, 0);
      expect(history.rows?.[0]).toBe(80);
      expect(sum('rows')).toBeLessThan(0.95 * 800);
      expect(sum('rows')).toBe(sum('kept'));
      if (sampler.samplerName !== 'infoBatch') expect(sum('rescored')).toBe(800 - sum('rows'));
    }
  });
});
