import {
  gather,
  memory,
  oneHot,
  randomNormal,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {CustomCallback, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  categoricalCrossentropy,
  cosine,
  type EpochRows,
  earlyStopped,
  type FitOhemArgs,
  fitOhem,
  miningLedger,
  ohemStep,
  perSampleLosses,
  randomSubset,
  topK,
} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {weightValues} from '../support/tinyModel';
import {allRows, rotating, tinySampler} from '../support/tinySamplers';

const ROWS = 40;

describeOnBackends('fitOhem with a sampler', () => {
  it('gives the weights of a run without a sampler, to the bit, if all rows are chosen', async () => {
    const {xs, ys} = resumableData();
    const settings: FitOhemArgs[] = [
      {},
      {select: topK({ratio: 0.5}), batchSize: 7},
      {learningRate: cosine({from: 0.1}), accumulate: 2},
      {stepsPerEpoch: 3, shuffle: false},
    ];
    for (const sampler of [() => tinySampler(), () => randomSubset({ratio: 1})]) {
      for (const own of settings) {
        const [without, withOne] = [resumableModel(), resumableModel()];
        const {history: plain} = await fitOhem(without, xs, ys, {...RESUMABLE(), ...own});
        const {history} = await fitOhem(withOne, xs, ys, {...RESUMABLE(), ...own, sampler: sampler()});
        expect(weightValues(withOne)).toEqual(weightValues(without));
        const {rows, rescored, ...others} = history as Record<string, number[]>;
        expect(others).toEqual(plain);
        const perEpoch = own.stepsPerEpoch ? 36 : ROWS;
        expect([rows, rescored]).toEqual([Array(5).fill(perEpoch), Array(5).fill(0)]);
      }
    }
  });

  it('runs the chosen rows forward alone, in batches of their own, another order in each epoch', async () => {
    const {xs, ys} = resumableData();
    const ledger = miningLedger(ROWS);
    const chosen = Int32Array.of(1, 4, 5, 8, 20, 30, 39);
    const sampler = tinySampler(() => ({rows: chosen}));
    const sizes: number[] = [];
    const onBatchEnd = (_: number, logs?: Record<string, number>) => void sizes.push(logs?.size as number);
    const args = {...RESUMABLE(), batchSize: 3, epochs: 4, ledger, sampler, callbacks: {onBatchEnd}};
    const {history} = await fitOhem(resumableModel(), xs, ys, args);
    expect(sizes).toEqual([3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1]);
    expect(history.rows).toEqual([7, 7, 7, 7]);
    const seen = Array.from(allRows(ROWS), (row) => ledger.seen(row));
    expect(seen).toEqual(Array.from(allRows(ROWS), (row) => (chosen.includes(row) ? 4 : 0)));
    expect(chosen).toEqual(Int32Array.of(1, 4, 5, 8, 20, 30, 39));
  });

  it('has the steps of the epoch in the parameters of callbacks, and in the progress of the rate', async () => {
    const {xs, ys} = resumableData();
    const progresses: number[] = [];
    const steps: unknown[] = [];
    const sampler = tinySampler(({epoch}) => ({rows: allRows(epoch === 0 ? 20 : 40)}));
    const learningRate = ({progress}: {progress: number}) => {
      progresses.push(progress);
      return 0.1;
    };
    const callback: CustomCallback = new CustomCallback(
      {onEpochBegin: () => void steps.push([callback.params.steps, callback.params.samples])},
      'never',
    );
    const args = {...RESUMABLE(), batchSize: 10, epochs: 2, sampler, learningRate, callbacks: callback};
    await fitOhem(resumableModel(), xs, ys, args);
    expect(steps).toEqual([
      [2, 20],
      [4, 40],
    ]);
    expect(progresses).toEqual([0, 0.25, 0.5, 0.625, 0.75, 0.875]);
  });

  it('weighs rows by Σ w·l / B, as sample weights do, and beside those', async () => {
    const {xs, ys} = resumableData();
    const sampleWeight = Float32Array.from({length: ROWS}, (_, row) => 0.5 + (row % 3));
    const rows = allRows(ROWS);
    const weights = Float32Array.from(rows, (row) => (row % 4) / 2);
    const both = sampleWeight.map((weight, row) => weight * (weights[row] as number));
    const select = all();
    for (const [given, product] of [
      [undefined, weights],
      [sampleWeight, both],
    ] as const) {
      const [one, other] = [resumableModel(train.sgd(0.1)), resumableModel(train.sgd(0.1))];
      const args: FitOhemArgs = {...RESUMABLE(), select, epochs: 2};
      const {history: weighed} = await fitOhem(one, xs, ys, {...args, sampleWeight: product});
      const sampler = tinySampler(() => ({weights}));
      const {history} = await fitOhem(other, xs, ys, {...args, sampleWeight: given, sampler});
      expect(weightValues(other)).toEqual(weightValues(one));
      expect(history.loss).toEqual(weighed.loss);
    }
  });

  it('takes the step Σ w·l / B of the batch that it puts together', async () => {
    const {xs, ys} = resumableData();
    const weights = Float32Array.of(2, 1, 0.5);
    const [model, twin] = [resumableModel(train.sgd(0.1)), resumableModel(train.sgd(0.1))];
    const rows = Int32Array.of(3, 9, 21);
    const sampler = tinySampler(() => ({rows, weights}));
    const args = {...RESUMABLE(), select: all(), epochs: 1, shuffle: false, sampler};
    await fitOhem(model, xs, ys, args);
    const loss = categoricalCrossentropy();
    const step = ohemStep(twin, {loss, select: all(), reduction: 'batchMean'});
    const [x, y] = [xs, ys].map((all) => gather(all, tensor1d(rows, 'int32'))) as [Tensor, Tensor];
    step(x, y, {sampleWeight: weights}).dispose();
    expect(weightValues(model)).toEqual(weightValues(twin));
  });

  it('keeps the losses of rows before any weight, NaN for those that were never seen', async () => {
    const {xs, ys} = resumableData();
    const rows = Int32Array.of(2, 3, 17);
    const sampler = tinySampler(() => ({rows, weights: Float32Array.of(8, 1, 2)}));
    const still = resumableModel(train.sgd(0));
    const classWeight = {0: 3, 1: 2, 2: 5};
    // In the one batch of the epoch all rows are scored before the weights change.
    const args = {...RESUMABLE(), epochs: 1, sampler, classWeight, sampleWeight: Array(ROWS).fill(7)};
    await fitOhem(still, xs, ys, args);
    const {losses} = sampler.seen[0] as {losses: number[]};
    expect(losses.map((loss, row) => (Number.isNaN(loss) ? -1 : row)).filter((row) => row >= 0)).toEqual([2, 3, 17]);
    expect(losses[2]).toBeLessThan(5);
    const own = tinySampler(() => ({rows}));
    await fitOhem(resumableModel(train.sgd(0)), xs, ys, {...RESUMABLE(), epochs: 1, sampler: own});
    expect(losses).toEqual(own.seen[0]?.losses);
  });

  it('scores rows at the end of an epoch as perSampleLosses does, and moves no state', async () => {
    const {xs, ys} = resumableData();
    const build = (): LayersModel => {
      const model = sequential({
        layers: [
          layers.dense({units: 6, activation: 'tanh', inputShape: [4]}),
          layers.batchNormalization(),
          layers.dropout({rate: 0.5, seed: 3}),
          layers.dense({units: 3, activation: 'softmax'}),
        ],
      });
      model.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy'});
      return model;
    };
    const [model, twin] = [build(), build()];
    twin.setWeights(model.getWeights());
    const scoring = tinySampler(() => ({rescore: allRows(ROWS)}));
    const options = {batchSize: 5, epochs: 3, seed: 1, verbose: 0, select: topK({ratio: 0.5})} as const;
    const {history, state} = await fitOhem(model, xs, ys, {...options, sampler: scoring});
    await fitOhem(twin, xs, ys, {...options, sampler: tinySampler()});
    expect(weightValues(model)).toEqual(weightValues(twin));
    const expected = await perSampleLosses(model, xs, ys);
    expect((scoring.seen[2]?.losses ?? []).length).toBe(ROWS);
    for (const [row, loss] of expected.entries()) expect(scoring.seen[2]?.losses[row]).toBeCloseTo(loss, 5);
    expect(history.rescored).toEqual([ROWS, ROWS, ROWS]);
    expect([state.spent.rows, state.spent.backwardRows]).toEqual([6 * ROWS, 3 * 8 * Math.round(2.5)]);
  });

  it('scores a row again that was trained on, and counts both passes', async () => {
    const {xs, ys} = resumableData();
    const rows = Int32Array.of(1, 5, 9);
    const sampler = tinySampler(() => ({rows, rescore: Int32Array.of(1, 20)}));
    // Without layers that differ in training mode.
    const model = sequential({
      layers: [layers.dense({units: 3, activation: 'softmax', kernelInitializer: 'zeros', inputShape: [4]})],
    });
    model.compile({optimizer: train.sgd(0.5), loss: 'categoricalCrossentropy'});
    const before = await perSampleLosses(model, xs, ys);
    const {history, state} = await fitOhem(model, xs, ys, {...RESUMABLE(), select: all(), epochs: 1, sampler});
    const after = await perSampleLosses(model, xs, ys);
    const {losses} = sampler.seen[0] as {losses: number[]};
    // The one step scored all three before the update; row 1 has its loss after it.
    for (const [row, due] of [
      [1, after],
      [20, after],
      [5, before],
      [9, before],
    ] as const) {
      expect(losses[row]).toBeCloseTo(due[row] as number, 5);
    }
    expect(Math.abs((after[1] as number) - (before[1] as number))).toBeGreaterThan(1e-3);
    expect([history.rows, history.rescored, state.spent.rows]).toEqual([[3], [2], 5]);
  });

  it('leaves the states of recurrent layers as the steps left them', async () => {
    const x = randomNormal([8, 3, 2], 0, 1, 'float32', 4);
    const y = tidy(() => oneHot(tensor1d([0, 1, 0, 1, 1, 1, 0, 0], 'int32'), 2));
    const build = () => {
      const model = sequential({
        layers: [
          layers.gru({
            ...{units: 3, stateful: true, batchInputShape: [4, 3, 2]},
            kernelInitializer: 'ones',
            recurrentInitializer: 'ones',
          }),
          layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'ones'}),
        ],
      });
      model.compile({optimizer: train.sgd(0.1), loss: 'categoricalCrossentropy'});
      return model;
    };
    const [model, twin] = [build(), build()];
    const options = {batchSize: 4, epochs: 2, seed: 1, verbose: 0};
    await fitOhem(model, x, y, {...options, sampler: tinySampler(() => ({rescore: allRows(8)}))});
    await fitOhem(twin, x, y, options);
    expect(weightValues(model)).toEqual(weightValues(twin));
  });

  it('multiplies the learning rate of an epoch, given or of the optimizer, which has its own at the end', async () => {
    const {xs, ys} = resumableData();
    const rates: number[] = [];
    const factors = [1, 0.5, 2];
    const sampler = () => tinySampler(({epoch}) => ({learningRateFactor: factors[epoch] as number}));
    const trained = async (args: FitOhemArgs) => {
      const optimizer = train.sgd(0.1);
      const onBatchEnd = () => void rates.push((optimizer as unknown as {learningRate: number}).learningRate);
      const ofEpochs: number[] = [];
      const onEpochEnd = () => void ofEpochs.push((optimizer as unknown as {learningRate: number}).learningRate);
      const callbacks = {onBatchEnd, onEpochEnd};
      const {history} = await fitOhem(resumableModel(optimizer), xs, ys, {
        ...{...RESUMABLE(), epochs: 3, batchSize: 20, callbacks, sampler: sampler()},
        ...args,
      });
      return {history, ofEpochs, rate: (optimizer as unknown as {learningRate: number}).learningRate};
    };
    expect(await trained({})).toMatchObject({rate: 0.1, ofEpochs: [0.1, 0.1, 0.1]});
    expect(rates.splice(0)).toEqual([0.1, 0.1, 0.05, 0.05, 0.2, 0.2]);
    const learningRate = ({step}: {step: number}) => 1 / (step + 1);
    const {history, ofEpochs, rate} = await trained({learningRate});
    expect([ofEpochs, rate]).toEqual([[1 / 2, 1 / 4, 1 / 6], 1 / 6]);
    expect(rates).toEqual([1, 1 / 2, 0.5 / 3, 0.5 / 4, 2 / 5, 2 / 6]);
    expect(history.learningRate).toEqual([1 / 2, 0.5 / 4, 2 / 6]);
  });

  it('gives the optimizer its rate back if a step throws, and keeps one that a callback sets', async () => {
    const {xs, ys} = resumableData();
    const optimizer = train.sgd(0.1) as ReturnType<typeof train.sgd> & {learningRate: number};
    const sampler = tinySampler(() => ({learningRateFactor: 3}));
    const fail = {
      onBatchEnd: () => {
        throw new Error('enough');
      },
    };
    const args = {...RESUMABLE(), epochs: 2, sampler};
    await expect(fitOhem(resumableModel(optimizer), xs, ys, {...args, callbacks: fail})).rejects.toThrow('enough');
    expect(optimizer.learningRate).toBe(0.1);
    const halve = {onEpochEnd: () => optimizer.setLearningRate(optimizer.learningRate / 2)};
    await fitOhem(resumableModel(optimizer), xs, ys, {...args, callbacks: halve});
    expect(optimizer.learningRate).toBe(0.025);
  });

  it('ends by the rows that it really ran: budget and spent', async () => {
    const {xs, ys} = resumableData();
    const sampler = tinySampler(() => ({rows: allRows(10), rescore: allRows(ROWS).slice(30)}));
    const args = {...RESUMABLE(), batchSize: 5, epochs: 9, sampler, budget: {rows: 45}};
    const {history, state} = await fitOhem(resumableModel(), xs, ys, args);
    // 10 + 10 scored, twice, and a batch.
    expect([history.rows, history.rescored]).toEqual([
      [10, 10, 5],
      [10, 10, 0],
    ]);
    expect(state.spent.rows).toBe(45);
  });

  it('keeps its state in a loop of calls, and counts epochs on', async () => {
    const {xs, ys} = resumableData();
    const sampler = rotating();
    const loop = resumableModel();
    const args = RESUMABLE();
    for (let epoch = 0; epoch < 3; epoch++) await fitOhem(loop, xs, ys, {...args, epochs: 1, sampler});
    expect(sampler.chosen.map(({epoch}) => epoch)).toEqual([0, 1, 2]);
    const whole = rotating();
    const model = resumableModel();
    await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 3, sampler: whole});
    expect(weightValues(loop)).toEqual(weightValues(model));
    expect(sampler.seen).toEqual(whole.seen);
  });

  it('begins anew, which is said, with another sampler or other data', async () => {
    const {xs, ys} = resumableData();
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const model = resumableModel();
      const args = {...RESUMABLE(), epochs: 1};
      await fitOhem(model, xs, ys, {...args, sampler: rotating()});
      const other = tinySampler();
      await fitOhem(model, xs, ys, {...args, sampler: other});
      await fitOhem(model, xs, ys, {...args, sampler: other, validationSplit: 0.5});
      expect(warn.mock.calls.map(([text]) => text)).toEqual([
        'fitOhem: sampler differs from that of the last call for this model, so its scores and state start over. ' +
          'Build it once, before the loop, to keep them.',
        'fitOhem: the data have 20 rows, but 40 in the last call for this model, so the scores and state of the ' +
          'sampler start over.',
      ]);
      expect(other.seen.map(({losses}) => losses.length)).toEqual([40, 20]);
    } finally {
      warn.mockRestore();
    }
  });

  it('tells the sampler only of the rows that ran, if stepsPerEpoch cuts the epoch short', async () => {
    const {xs, ys} = resumableData();
    const weights = Float32Array.from({length: ROWS}, (_, row) => 1 + row);
    for (const shuffle of [true, false]) {
      const ended: EpochRows[] = [];
      const ran: number[][] = [];
      const inner = tinySampler(() => ({weights}));
      const sampler: typeof inner = {
        ...inner,
        next(state, seen) {
          ended.push(seen.chosen);
          return inner.next(state, seen);
        },
      };
      const record = (rows: ArrayLike<number>) => void ran.push(Array.from(rows));
      const args = {...RESUMABLE(), epochs: 2, stepsPerEpoch: 2, shuffle, sampler};
      await fitOhem(resumableModel(), xs, ys, {...args, ledger: {record, toJSON: () => ({})} as never});
      for (const [epoch, chosen] of ended.entries()) {
        const rows = ran.slice(2 * epoch, 2 * epoch + 2).flat();
        expect(Array.from(chosen.rows)).toEqual(rows.sort((a, b) => a - b));
        expect(Array.from(chosen.weights ?? [])).toEqual(rows.map((row) => 1 + row));
      }
      expect(ended.map(({rows}) => rows.length)).toEqual([24, 24]);
    }
  });

  it('takes no row for flat whose loss was not computed again', async () => {
    const {xs, ys} = resumableData();
    const sampler = earlyStopped({window: 1, threshold: 1e-9});
    const {history} = await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), epochs: 6, stepsPerEpoch: 1, sampler});
    expect(history.rescored).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('skips a batch without a finite loss if others of the epoch have one', async () => {
    const {xs, ys} = resumableData();
    const broken = tidy(() => {
      const values = xs.arraySync() as number[][];
      (values[3] as number[])[0] = Number.NaN;
      return tensor2d(values);
    });
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const args = {...RESUMABLE(), batchSize: 2, epochs: 2, shuffle: false};
      const sampler = () => tinySampler(() => ({rows: Int32Array.of(0, 1, 3)}));
      const {history} = await fitOhem(resumableModel(), broken, ys, {...args, sampler: sampler()});
      expect(history.rows).toEqual([3, 3]);
      expect(warn.mock.calls).toEqual([
        [
          'fitOhem: rows 3 have a loss that is not finite (epoch 0, batch 1). They are skipped, as will be any ' +
            'later ones.',
        ],
      ]);
      const none = fitOhem(resumableModel(), broken, ys, {
        ...args,
        sampler: tinySampler(({epoch}) => ({rows: epoch === 0 ? Int32Array.of(0, 1, 3) : Int32Array.of(3)})),
      });
      await expect(none).rejects.toThrow(
        'fitOhem: loss must be finite for at least one row of each epoch, got none in epoch 1, batch 0 (rows 3).',
      );
    } finally {
      warn.mockRestore();
    }
  });

  it('leaves no tensor behind, also if a step throws', async () => {
    const {xs, ys} = resumableData();
    const model = resumableModel(train.sgd(0.1));
    await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 1});
    const before = memory().numTensors;
    await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 2, sampler: rotating()});
    expect(memory().numTensors).toBe(before);
    const wrong = {
      ...RESUMABLE(),
      epochs: 1,
      sampler: tinySampler(() => ({}), ['correct']),
      select: () => ({}) as never,
    };
    await expect(fitOhem(model, xs, ys, wrong)).rejects.toThrow('select');
    expect(memory().numTensors).toBe(before);
  });
});
