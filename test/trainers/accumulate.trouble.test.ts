import * as tf from '@tensorflow/tfjs-core';
import {layers, regularizers, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  fitOhem,
  fitOhemDataset,
  meanAbsoluteError,
  meanSquaredError,
  ohemStep,
  randomSubset,
  type Selector,
  type TrainingState,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends, describeOnDevice} from '../support/backends';
import {expectClose} from '../support/close';

const data = (rows: number, seed = 1): [tf.Tensor2D, tf.Tensor2D] => [
  tf.randomNormal([rows, 3], 0, 1, 'float32', seed),
  tf.randomNormal([rows, 2], 0, 1, 'float32', seed + 1),
];
const dense = () => sequential({layers: [layers.dense({units: 2, inputShape: [3], kernelInitializer: 'ones'})]});
const valuesOf = (model: ReturnType<typeof dense>) => model.getWeights().flatMap((weight) => [...weight.dataSync()]);
const TOGETHER = {accumulate: 2, selectOver: 'accumulated'} as const;

function specification(): void {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const hard = topK({k: 2});

  it('takes a batch anew whose rows could not be ranked with the others', () => {
    let isBroken = true;
    const select: Selector = (losses, context) => {
      if (isBroken) throw new Error('as planned');
      return hard(losses, context);
    };
    const [disturbed, other] = [dense(), dense()];
    const own = {loss: meanSquaredError(), ...TOGETHER};
    const step = ohemStep(disturbed, {...own, select, optimizer: tf.train.sgd(0.1)});
    const undisturbed = ohemStep(other, {...own, select: hard, optimizer: tf.train.sgd(0.1)});
    const [first, second] = [data(4, 1), data(4, 5)];
    step(...first).dispose();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) expect(() => step(...second)).toThrow('as planned');
    expect(tf.memory().numTensors).toBe(before);
    isBroken = false;
    step(...second).dispose();
    undisturbed(...first).dispose();
    undisturbed(...second).dispose();
    expect(valuesOf(disturbed)).toEqual(valuesOf(other));
    expect(valuesOf(disturbed)).not.toEqual(valuesOf(dense()));
  });

  describe('an update that is never finite, at the root of 0', () => {
    /** The losses have finite gradients; the penalty √Σw² has none at 0. */
    function rooted() {
      const layer = layers.dense({units: 1, inputShape: [1], useBias: false, kernelInitializer: 'zeros'});
      const model = sequential({layers: [layer]});
      layer.addLoss(() => tf.sqrt(tf.sum(tf.square((layer.weights[0] as (typeof layer.weights)[0]).read()))));
      model.compile({optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError'});
      return model;
    }
    const [x, y] = [() => tf.ones<tf.Rank.R2>([8, 1]), () => tf.ones<tf.Rank.R2>([8, 1])];
    const half = () => tf.ones<tf.Rank.R2>([4, 1]);

    it.each(['batch', 'accumulated'] as const)('keeps no row in the report of the update, over %s', async (over) => {
      const model = rooted();
      const step = ohemStep(model, {select: all(), accumulate: 2, selectOver: over});
      const kept: number[] = [];
      for (let i = 0; i < 4; i++) kept.push((await step(half(), half()).read()).kept);
      const waiting = over === 'batch' ? 4 : 0;
      expect(kept).toEqual([waiting, 0, waiting, 0]);
      expect(valuesOf(model)).toEqual([0]);
      step.dispose();
    });

    it.each([2, 5])('throws for the epoch, with an update of up to %d of 3 batches', async (accumulate) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      try {
        const [model, before] = [rooted(), tf.memory().numTensors];
        function* batches() {
          for (let i = 0; i < 3; i++) yield {xs: half(), ys: half()};
        }
        const run = fitOhemDataset(model, batches, {select: all(), accumulate, epochs: 3, verbose: 0});
        await expect(run).rejects.toThrow(
          'fitOhemDataset: gradients must be finite in at least one batch of an epoch, got none in epoch 0.',
        );
        expect(warn.mock.calls.flat()).toContainEqual(
          expect.stringContaining(
            'the losses are finite, but the model has gradients or batch statistics that are not',
          ),
        );
        expect(valuesOf(model)).toEqual([0]);
        expect(tf.memory().numTensors).toBe(before);
      } finally {
        warn.mockRestore();
      }
    });

    it('throws in fitOhem too', async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      try {
        const run = fitOhem(rooted(), x(), y(), {select: all(), accumulate: 2, epochs: 3, batchSize: 4, verbose: 0});
        await expect(run).rejects.toThrow('fitOhem: gradients must be finite in at least one batch of an epoch');
      } finally {
        warn.mockRestore();
      }
    });
  });

  describe('an epoch with fewer batches than an update', () => {
    const own = () => ({loss: meanSquaredError(), optimizer: tf.train.sgd(0.01), select: all(), verbose: 0 as const});
    /** The warnings of a run. */
    async function warningsOf(run: () => Promise<unknown>): Promise<unknown[]> {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      try {
        await run();
        return warn.mock.calls.flat().filter((text) => String(text).includes('accumulate'));
      } finally {
        warn.mockRestore();
      }
    }
    function* batches() {
      for (let i = 0; i < 2; i++) {
        const [xs, ys] = data(4);
        yield {xs, ys};
      }
    }

    it('is named once, for a dataset of unknown length', async () => {
      const run = () => fitOhemDataset(dense(), batches, {...own(), accumulate: 5, epochs: 3});
      expect(await warningsOf(run)).toEqual([
        'fitOhemDataset: accumulate is 5, but epoch 0 has 2 batches, which made its only update. ' +
          'Pass a smaller accumulate for updates of one size.',
      ]);
    });

    it('is named once, for a sampler that leaves so few', async () => {
      const sampler = randomSubset({ratio: 0.25});
      const run = () => fitOhem(dense(), ...data(16), {...own(), accumulate: 4, batchSize: 4, epochs: 2, sampler});
      expect(await warningsOf(run)).toEqual([
        expect.stringContaining('fitOhem: accumulate is 4, but epoch 0 has 1 batch, which made its only update.'),
      ]);
    });

    it('is the only one that is named', async () => {
      expect(await warningsOf(() => fitOhemDataset(dense(), batches, {...own(), accumulate: 2}))).toEqual([]);
      expect(await warningsOf(() => fitOhemDataset(dense(), batches, own()))).toEqual([]);
    });
  });

  it('warns of the last batch of an update whose own gradients are not finite', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      // The root of 0 in each second batch.
      const kernel = tf.variable(tf.ones<tf.Rank.R2>([1, 1]));
      const model = {predict: (xs: tf.Tensor2D) => tf.sqrt(tf.matMul(xs, kernel)), variables: [kernel]};
      const inputs = tf.tensor2d([1, 2, 0, 0, 1, 2, 0, 0], [8, 1]);
      const {history} = await fitOhem(model, inputs, tf.ones([8, 1]), {
        ...{loss: 'meanSquaredError', optimizer: tf.train.sgd(0.01), select: all(), accumulate: 2},
        ...{batchSize: 2, shuffle: false, verbose: 0},
      });
      expect(history.kept).toEqual([4]);
      expect(warn.mock.calls).toEqual([[expect.stringContaining('(epoch 0, batch 1)')]]);
      expect(kernel.dataSync()[0]).not.toBe(1);
    } finally {
      warn.mockRestore();
    }
  });

  it('takes a batch anew that lacks what the others have', () => {
    const model = dense();
    const step = ohemStep(model, {loss: meanSquaredError(), optimizer: tf.train.sgd(0.1), ...TOGETHER});
    const before = valuesOf(model);
    const positive = tf.ones<tf.Rank.R1>([4]);
    step(...data(4), {positive}).dispose();
    expect(() => step(...data(4))).toThrow('ohemStep: positive must be given with each of the accumulated batches');
    expect(valuesOf(model)).toEqual(before);
    step(...data(4), {positive}).dispose();
    expect(valuesOf(model)).not.toEqual(before);
  });

  it('refuses a layer that keeps a state if rows are ranked together, since each batch runs twice', () => {
    const rnn = layers.simpleRNN({
      units: 2,
      stateful: true,
      batchInputShape: [4, 2, 3],
      name: 'rnn',
      recurrentInitializer: 'ones',
    });
    const model = sequential({layers: [rnn]});
    const options = {loss: meanSquaredError(), optimizer: tf.train.sgd(0.1), accumulate: 2} as const;
    expect(() => ohemStep(model, {...options, selectOver: 'accumulated'})).toThrow(
      "ohemStep: model must have no layer that keeps a state with selectOver: 'accumulated', got rnn.",
    );
    const step = ohemStep(model, {...options, select: all()});
    const before = valuesOf(model);
    for (let i = 0; i < 2; i++) step(tf.ones([4, 2, 3]), tf.zeros([4, 2])).dispose();
    expect(valuesOf(model)).not.toEqual(before);
  });

  it.each(['batch', 'accumulated'] as const)('takes regularisers of frozen layers, selectOver: %s', (selectOver) => {
    const make = () =>
      sequential({
        layers: [
          layers.dense({
            ...{units: 3, inputShape: [3], trainable: false, kernelInitializer: 'ones'},
            kernelRegularizer: regularizers.l2({l2: 0.5}),
          }),
          layers.dense({units: 2, kernelInitializer: 'ones'}),
        ],
      });
    const [apart, together] = [make(), make()];
    const options = {loss: meanSquaredError(), select: all()};
    const step = ohemStep(apart, {...options, optimizer: tf.train.sgd(0.1), accumulate: 2, selectOver});
    const [first, second] = [data(4, 1), data(4, 5)];
    step(...first).dispose();
    step(...second).dispose();
    const whole = ohemStep(together, {...options, optimizer: tf.train.sgd(0.1)});
    whole(tf.concat([first[0], second[0]]), tf.concat([first[1], second[1]])).dispose();
    expectClose(valuesOf(apart), valuesOf(together), {absolute: 1e-6, relative: 1e-6});
    expect(valuesOf(apart)).not.toEqual(valuesOf(make()));
  });

  const normalised = () =>
    sequential({
      layers: [
        layers.dense({units: 4, inputShape: [3], kernelInitializer: 'ones'}),
        layers.batchNormalization(),
        layers.dense({units: 2, kernelInitializer: 'ones'}),
      ],
    });

  it.each(['batch', 'accumulated'] as const)(
    'normalises each batch by its own statistics, as gradients that are added up do, selectOver: %s',
    (selectOver) => {
      const [accumulated, other] = [normalised(), normalised()];
      const own = {loss: meanSquaredError(), select: all()};
      const step = ohemStep(accumulated, {...own, optimizer: tf.train.momentum(0.1, 0.9), accumulate: 2, selectOver});
      const optimizer = tf.train.momentum(0.1, 0.9);
      const variables = other.trainableWeights.map((weight) => weight.read() as tf.Variable);
      // From the third update on, kernels that were recorded run again.
      for (let update = 0; update < 5; update++) {
        const batches = [data(4, 10 * update + 1), data(4, 10 * update + 5)];
        for (const [x, y] of batches) step(x, y).dispose();
        const halves = batches.map(([x, y]) => {
          const loss = () => tf.mean<tf.Scalar>(tf.squaredDifference(y, other.apply(x, {training: true}) as tf.Tensor));
          return tf.variableGrads(loss, variables).grads;
        });
        const meanOf = (name: string) => tf.div(tf.addN(halves.map((grads) => grads[name] as tf.Tensor)), 2);
        optimizer.applyGradients(variables.map(({name}) => ({name, tensor: meanOf(name)})));
        expectClose(valuesOf(accumulated), valuesOf(other), {absolute: 1e-5, relative: 1e-5});
      }
    },
  );

  it.each(['batch', 'accumulated'] as const)(
    'leaves a layer as it is that is frozen between two batches, selectOver: %s',
    (selectOver) => {
      const model = normalised();
      const optimizer = tf.train.adam(0.1);
      const step = ohemStep(model, {loss: meanSquaredError(), optimizer, accumulate: 2, selectOver});
      const [first] = model.layers as [ReturnType<typeof layers.dense>];
      const kernel = () => [...(first.getWeights()[0] as tf.Tensor).dataSync()];
      for (let i = 0; i < 3; i++) step(...data(4)).dispose();
      const before = kernel();
      first.trainable = false;
      for (let i = 0; i < 3; i++) step(...data(4)).dispose();
      expect(kernel()).toEqual(before);
      first.trainable = true;
      for (let i = 0; i < 2; i++) step(...data(4)).dispose();
      expect(kernel()).not.toEqual(before);
    },
  );

  it('counts the rows of a batch that keeps none in batchMean, as one batch does', () => {
    const [apart, together] = [dense(), dense()];
    const options = {loss: meanSquaredError(), select: all(), reduction: 'batchMean'} as const;
    const step = ohemStep(apart, {...options, optimizer: tf.train.sgd(0.1), accumulate: 2});
    const [first, second] = [data(4, 1), data(4, 5)];
    step(...first, {valid: tf.zeros<tf.Rank.R1>([4])}).dispose();
    step(...second, {valid: tf.ones<tf.Rank.R1>([4])}).dispose();
    const whole = ohemStep(together, {...options, optimizer: tf.train.sgd(0.1)});
    const valid = tf.tensor1d([0, 0, 0, 0, 1, 1, 1, 1]);
    whole(tf.concat([first[0], second[0]]), tf.concat([first[1], second[1]]), {valid}).dispose();
    expectClose(valuesOf(apart), valuesOf(together), {absolute: 1e-6, relative: 1e-6});
  });

  describe('fitOhem with accumulate', () => {
    const range = () => tf.expandDims(tf.range(0, 18), 1);
    const args = {
      ...{optimizer: 'sgd' as const, learningRate: 0, loss: meanAbsoluteError(), select: all()},
      ...{batchSize: 4, shuffle: false, verbose: 0},
    } as const;
    const penalised = () => {
      const kernel = {kernelInitializer: 'ones', kernelRegularizer: regularizers.l2({l2: 1})} as const;
      return sequential({layers: [layers.dense({units: 1, inputShape: [1], useBias: false, ...kernel})]});
    };

    it.each([
      ['mean', 9.5],
      ['batchMean', 9.5],
      ['meanNonZero', 10],
    ] as const)(
      'logs the loss of all kept rows with the penalty, whatever is accumulated: %s',
      async (reduction, loss) => {
        const ways = [{}, {accumulate: 4}, {accumulate: 4, selectOver: 'accumulated'}] as const;
        for (const own of ways) {
          const {history} = await fitOhem(penalised(), range(), tf.zeros([18, 1]), {...args, reduction, ...own});
          expectClose(history.loss as number[], [loss], {absolute: 1e-5, relative: 1e-6});
        }
      },
    );

    it('has the loss 0 if all kept losses are', async () => {
      const options = {...args, reduction: 'meanNonZero'} as const;
      const model = sequential({layers: [layers.dense({units: 1, inputShape: [1], kernelInitializer: 'ones'})]});
      const {history} = await fitOhem(model, range(), range(), options);
      expect(history.loss).toEqual([0]);
    });

    it.each(['batch', 'accumulated'] as const)(
      'counts the update at the end of an epoch, and checkpoints it, selectOver: %s',
      async (selectOver) => {
        const updates: number[] = [];
        const {state} = await fitOhem(penalised(), range(), tf.zeros([18, 1]), {
          ...{...args, accumulate: 2, selectOver, epochs: 2, checkpointEvery: 3},
          checkpoint: (at) => void updates.push(at.updates),
        });
        expect(state).toMatchObject({step: 10, updates: 6});
        expect(updates).toEqual([3, 6]);
      },
    );

    it.each(['batch', 'accumulated'] as const)(
      'takes each update at the rate of one large batch, selectOver: %s',
      async (selectOver) => {
        const ratesOf = async (own: object) => {
          const rates: number[] = [];
          const learningRate = ({progress}: {progress: number}) => {
            rates.push(progress);
            return 0.001;
          };
          await fitOhem(penalised(), range(), tf.zeros([18, 1]), {...args, epochs: 2, learningRate, ...own});
          return rates;
        };
        expect(await ratesOf({batchSize: 3, accumulate: 3, selectOver})).toEqual(await ratesOf({batchSize: 9}));
        expect(await ratesOf({batchSize: 3, accumulate: 3, selectOver})).toEqual([0, 0.25, 0.5, 0.75]);
      },
    );

    it('logs the learning rate of an epoch that is resumed at its end', async () => {
      const states: TrainingState[] = [];
      const own = {...args, learningRate: 0.001, accumulate: 3, checkpointEvery: 1};
      const model = penalised();
      const optimizer = tf.train.sgd(0.1);
      const train = (more: object) => fitOhem(model, range(), tf.zeros([18, 1]), {...own, optimizer, ...more});
      await train({checkpoint: (state: TrainingState) => void states.push(state)});
      const {history} = await train({initialState: states.at(-1)});
      expect(states.at(-1)).toMatchObject({epoch: 0, batch: 5, updates: 2});
      expect(history.learningRate).toEqual([0.001]);
    });

    it.each([{}, {accumulate: 2}, {accumulate: 2, selectOver: 'accumulated'}] as const)(
      'does not take a row that is not finite for a model that diverges: %s',
      async (own) => {
        const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
        const [x, y] = data(12);
        const broken = tf.where(tf.equal(tf.reshape(tf.range(0, 36), [12, 3]), 3), Number.NaN, x);
        await fitOhem(dense(), broken, y, {...args, loss: meanSquaredError(), ...own});
        expect(warn.mock.calls.map(([text]) => String(text).slice(0, 50))).toEqual([
          'fitOhem: rows 1 have a loss that is not finite (ep',
        ]);
        warn.mockRestore();
      },
    );
  });
}

describeOnBackends('Trouble in an accumulation', specification);

describeOnDevice('Trouble in an accumulation on a device', specification);
