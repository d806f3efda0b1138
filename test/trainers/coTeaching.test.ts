import {
  memory,
  oneHot,
  randomNormal,
  slice,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
  variable,
} from '@tensorflow/tfjs-core';
import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, coTeaching, ohemStep, perSampleLosses, type Selection, smallestK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {weightValues} from '../support/tinyModel';

const ROWS = 16;
const loss = categoricalCrossentropy();

const build = (seed: number) =>
  sequential({
    layers: [
      layers.dense({
        ...{units: 6, activation: 'relu', inputShape: [4], kernelInitializer: initializers.heNormal({seed})},
        kernelRegularizer: 'l1l2',
      }),
      layers.dense({units: 3, activation: 'softmax', kernelInitializer: initializers.glorotNormal({seed: seed + 7})}),
    ],
  });
const batch = (seed: number): [Tensor, Tensor] => [
  // tfjs takes a seed of 0 for none.
  randomNormal([ROWS, 4], 0, 1, 'float32', seed + 1),
  oneHot(
    tensor1d(
      Int32Array.from({length: ROWS}, (_, row) => (row * 7 + seed) % 3),
      'int32',
    ),
    3,
  ),
];

/**
 * The same by its definition: losses first, then a step of each model on the rows that the other
 * one finds easy.
 */
async function twoPasses([a, b]: [LayersModel, LayersModel], steps: number, ratios: number[]): Promise<number[][][]> {
  const optimizers = [train.adam(0.01), train.adam(0.01)];
  for (let i = 0; i < steps; i++) {
    const [xs, ys] = batch(i);
    const rows: Selection[] = [];
    for (const model of [b, a]) {
      const losses = await perSampleLosses(model, xs, ys, {loss});
      rows.push(smallestK({ratio: ratios[i] as number})(tensor1d(losses)));
    }
    for (const [which, model] of [a, b].entries()) {
      const select = () => rows[which] as Selection;
      ohemStep(model, {loss, select, optimizer: optimizers[which] as never})(xs, ys).dispose();
    }
  }
  return [weightValues(a), weightValues(b)];
}

describeOnBackends('coTeaching', () => {
  it('rounds the number of rows it keeps, at least 1, along a ramp of step / rampSteps', async () => {
    const keptOf = async (rows: number, noiseRate: number, rampSteps: number) => {
      const step = coTeaching([build(1), build(2)], {loss, optimizer: 'adam', noiseRate, rampSteps});
      const kept: number[] = [];
      for (let i = 0; i < rampSteps + 2; i++) {
        const [xs, ys] = batch(i);
        const reports = step(slice(xs, 0, rows), slice(ys, 0, rows));
        kept.push(...new Set(await Promise.all(reports.map(async (report) => (await report.read()).kept))));
      }
      step.dispose();
      return kept;
    };
    // (1 − R) · B is 10, 8.875, 7.75, 6.625 and 5.5, of which int would make 10, 8, 7, 6 and 5.
    expect(await keptOf(10, 0.45, 4)).toEqual([10, 9, 8, 7, 6, 6]);
    expect(await keptOf(2, 0.9, 1)).toEqual([2, 1, 1]);
  });

  it('trains each model on the rows with the smallest losses of the other, more and more of them left out', async () => {
    const [a, b] = [build(1), build(2)];
    const optimizer = [train.adam(0.01), train.adam(0.01)] as const;
    const step = coTeaching([a, b], {loss, optimizer, noiseRate: 0.5, rampSteps: 4});
    const kept: number[][] = [];
    for (let i = 0; i < 6; i++) {
      const reports = step(...batch(i));
      kept.push(await Promise.all(reports.map(async (report) => (await report.read()).kept)));
    }
    const ratios = [1, 0.875, 0.75, 0.625, 0.5, 0.5];
    expect(kept).toEqual(ratios.map((ratio) => [ratio * ROWS, ratio * ROWS]));
    const [ofA, ofB] = await twoPasses([build(1), build(2)], 6, ratios);
    expectClose(weightValues(a).flat(), (ofA as number[][]).flat(), {absolute: 2e-6, relative: 1e-4});
    expectClose(weightValues(b).flat(), (ofB as number[][]).flat(), {absolute: 2e-6, relative: 1e-4});
  });

  it('runs each model forward once a step', () => {
    const [a, b] = [build(1), build(2)];
    let calls = 0;
    for (const model of [a, b]) {
      const first = model.layers[0] as (typeof model.layers)[0];
      const call = first.call.bind(first);
      first.call = (...given) => {
        calls++;
        return call(...given);
      };
    }
    const step = coTeaching([a, b], {loss, optimizer: 'sgd', noiseRate: 0.5, rampSteps: 1});
    for (let i = 0; i < 3; i++) for (const report of step(...batch(i))) report.dispose();
    expect(calls).toBe(6);
  });

  it('leaks nothing, and reports the rows that the other model chose', () => {
    const [a, b] = [build(1), build(2)];
    const optimizer = [train.sgd(0.01), train.sgd(0.01)] as const;
    const [xs, ys] = batch(1);
    const before = memory().numTensors;
    const step = coTeaching([a, b], {loss, optimizer, noiseRate: 0.5, rampSteps: 1});
    for (let i = 0; i < 4; i++) {
      const [ofA, ofB] = step(xs, ys);
      const count = i === 0 ? ROWS : ROWS / 2;
      const chosen = (losses: Tensor) => [...smallestK({k: count})(losses as never).indices.dataSync()];
      tidy(() => {
        expect([...ofA.selection.indices.dataSync()]).toEqual(chosen(ofB.losses));
        expect([...ofB.selection.indices.dataSync()]).toEqual(chosen(ofA.losses));
      });
      ofA.dispose();
      ofB.dispose();
    }
    step.dispose();
    expect(memory().numTensors).toBe(before);
    expect(() => step(xs, ys)).toThrow('coTeaching: the step must not be called after dispose(). Build another one.');
  });

  it('changes neither model if it throws, also after the second one has learned', () => {
    const [a, b] = [build(1), build(2)];
    const broken = train.sgd(0.1);
    const optimizer = [broken, train.adam(0.1)] as const;
    const step = coTeaching([a, b], {loss, optimizer, noiseRate: 0.5, rampSteps: 1});
    for (const report of step(...batch(0))) report.dispose();
    const before = [weightValues(a), weightValues(b)];
    const [xs, ys] = batch(1);
    const tensors = memory().numTensors;
    broken.applyGradients = () => {
      throw new Error('no memory left');
    };
    expect(() => step(xs, ys)).toThrow('no memory left');
    expect([weightValues(a), weightValues(b)]).toEqual(before);
    expect(memory().numTensors).toBe(tensors);
    expect(() => step(tensor2d([[1]]), ys)).toThrow(/^coTeaching: xs must/);
  });

  it('refuses models that share an optimizer or a weight', () => {
    const options = {noiseRate: 0.5, rampSteps: 1};
    const adam = train.adam(0.1);
    const compiled = [build(1), build(2)] as const;
    for (const model of compiled) model.compile({loss: 'categoricalCrossentropy', optimizer: adam});
    const constraint = 'optimizer must be a different one for each model, got one that both were compiled with.';
    for (const optimizer of [null, 'adam'] as const) {
      expect(() => coTeaching(compiled, {...options, optimizer})).toThrow(
        new TypeError(`coTeaching: ${constraint} Compile each with its own, or pass a list of two.`),
      );
    }
    const [shared] = build(1).layers as [LayersModel['layers'][0]];
    const [a, b] = [3, 4].map((seed) => {
      const head = layers.dense({units: 3, kernelInitializer: initializers.glorotNormal({seed})});
      return sequential({layers: [shared, head]});
    }) as never as [LayersModel, LayersModel];
    const optimizer = [train.sgd(0.1), train.sgd(0.1)] as const;
    expect(() => coTeaching([a, b], {...options, loss, optimizer})).toThrow(
      /^coTeaching: models must share no weight, got .*kernel.*. Build each with layers and variables of its own.$/,
    );
    const own = variable(tensor2d([[1]]));
    const [f, g] = [0, 1].map(() => ({predict: (xs: Tensor) => xs, variables: [own]}));
    expect(() => coTeaching([f, g] as never, {...options, loss, optimizer})).toThrow(/models must share no weight/);
  });

  it('leaves out rows that are not finite', async () => {
    const step = coTeaching([build(1), build(2)], {loss, optimizer: 'sgd', noiseRate: 0.5, rampSteps: 1});
    const xs = tensor2d([
      [1, 2, 3, 4],
      [Number.NaN, 1, 1, 1],
    ]);
    const reports = step(xs, oneHot(tensor1d([0, 1], 'int32'), 3));
    for (const report of reports) expect(await report.read()).toMatchObject({kept: 1, nonFinite: 1});
  });
});
