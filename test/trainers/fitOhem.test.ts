import {dispose, memory, train} from '@tensorflow/tfjs-core';
import {History} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, fitOhem, randomK, topK} from 'ohem-tfjs';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {FIT_CASES, mlp, ROWS} from '../support/fitModels';
import {weightValues} from '../support/tinyModel';

const PLAIN = {batchSize: 8, shuffle: false, verbose: 0} as const;
const EXACT = {absolute: 1e-6, relative: 1e-6};

describeOnBackends('fitOhem', (backend) => {
  let disable = () => {};
  beforeAll(() => {
    if (backend === 'wasm') disable = enableWasmTraining();
  });
  afterAll(() => disable());

  describe.each(FIT_CASES)('with all() on $name', ({build, x, y, args = {}, own = {}}) => {
    it('gives the weights and the history of fit', async () => {
      const [xs, ys] = [x(), y()];
      const [theirs, ours] = [build(), build()];
      const options = {...PLAIN, epochs: 3, ...args};
      const expected = await theirs.fit(xs, ys, options as never);
      const {history} = await fitOhem(ours, xs, ys, {...options, ...own, select: all()});
      expectClose(weightValues(ours).flat(), weightValues(theirs).flat(), EXACT);
      const {batchLoss, kept, ...logged} = history;
      expect(Object.keys(logged).sort()).toEqual(Object.keys(expected.history).sort());
      const scale: Record<string, number> = {second_loss: own.lossWeights ? 0.3 : 1};
      for (const [name, values] of Object.entries(expected.history)) {
        const ofOurs = (logged[name] as number[]).map((value) => value * (scale[name] ?? 1));
        expectClose(ofOurs, values as number[], {absolute: 2e-6, relative: 2e-6});
      }
      expect(kept).toEqual([ROWS, ROWS, ROWS]);
      expect(batchLoss).toHaveLength(3);
      dispose([xs, ys]);
    });
  });

  it('numbers metrics of the same name as fit does', async () => {
    const {x, y} = FIT_CASES[0] as (typeof FIT_CASES)[number];
    const [xs, ys] = [x(), y()];
    const build = () => {
      const model = mlp();
      model.compile({optimizer: 'sgd', loss: 'categoricalCrossentropy', metrics: ['mse', 'acc', 'mse']});
      return model;
    };
    const expected = await build().fit(xs, ys, PLAIN);
    const {batchLoss, kept, ...logged} = (await fitOhem(build(), xs, ys, {...PLAIN, select: all()})).history;
    expect(Object.keys(logged).sort()).toEqual(Object.keys(expected.history).sort());
    expectClose(
      Object.values(logged).flat() as number[],
      Object.keys(logged).flatMap((name) => expected.history[name] as number[]),
      EXACT,
    );
    expect([batchLoss?.length, kept]).toEqual([1, [ROWS]]);
  });

  it('validates as fit does', async () => {
    const [xs, ys] = [(FIT_CASES[0] as (typeof FIT_CASES)[0]).x(), (FIT_CASES[0] as (typeof FIT_CASES)[0]).y()];
    for (const validation of [{validationSplit: 0.3}, {validationData: [xs, ys] as [typeof xs, typeof xs]}]) {
      const [theirs, ours] = [mlp(), mlp()];
      const options = {...PLAIN, epochs: 2, ...validation};
      const expected = await theirs.fit(xs, ys, options);
      const {history} = await fitOhem(ours, xs, ys, {...options, select: all()});
      for (const name of ['val_loss', 'val_acc', 'val_mse', 'loss', 'acc']) {
        expectClose(history[name] as number[], expected.history[name] as number[], EXACT);
      }
    }
  });

  it('leaves no tensor behind, but the slots of the optimizer', async () => {
    const [xs, ys] = [(FIT_CASES[0] as (typeof FIT_CASES)[0]).x(), (FIT_CASES[0] as (typeof FIT_CASES)[0]).y()];
    const model = mlp();
    const optimizer = train.sgd(0.1);
    const options = {...PLAIN, shuffle: true, optimizer, sampleWeight: Array.from({length: ROWS}, (_, i) => i % 3)};
    const before = memory();
    await fitOhem(model, xs, ys, {...options, epochs: 2, validationSplit: 0.2, restoreBestWeights: true, clipNorm: 1});
    expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  });

  it('gives the same weights for the same seed, and others for another', async () => {
    const [xs, ys] = [(FIT_CASES[0] as (typeof FIT_CASES)[0]).x(), (FIT_CASES[0] as (typeof FIT_CASES)[0]).y()];
    const run = async (seed: number | string) => {
      const model = mlp();
      const select = randomK({k: 5, seed: 2});
      await fitOhem(model, xs, ys, {batchSize: 8, epochs: 3, verbose: 0, seed, select});
      return weightValues(model);
    };
    const first = await run(1);
    expect(await run(1)).toEqual(first);
    expect(await run('1')).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  it('returns a history of tfjs with the state in which it ended', async () => {
    const [xs, ys] = [(FIT_CASES[0] as (typeof FIT_CASES)[0]).x(), (FIT_CASES[0] as (typeof FIT_CASES)[0]).y()];
    const options = {loss: categoricalCrossentropy(), optimizer: train.sgd(0.1), select: topK({ratio: 0.5})};
    const history = await fitOhem(mlp(), xs, ys, {...options, ...PLAIN, epochs: 2, seed: 3});
    expect(history).toBeInstanceOf(History);
    expect(history.epoch).toEqual([0, 1]);
    expect(history.history.kept).toEqual([11, 11]);
    const totals = {rows: 0, steps: 0, sums: {}, counts: {}};
    const spent = {rows: 44, backwardRows: 22, seconds: 0};
    const counts = {epoch: 2, batch: 0, step: 6, updates: 6, begun: 0, earlier: 0, earlierSteps: 0, batchesBefore: 3};
    const samples = 22;
    expect(history.state).toEqual({...counts, seed: 3, samples, totals, spent});
  });
});
