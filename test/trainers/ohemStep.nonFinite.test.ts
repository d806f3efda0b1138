import {
  add,
  mean,
  mul,
  type Optimizer,
  oneHot,
  slice,
  square,
  sub,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, categoricalCrossentropy, meanSquaredError, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {itIf} from '../support/itIf';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const STRATEGIES = ['masked', 'recompute', 'pruned'] as const;
const CLOSE = {absolute: 1e-6, relative: 1e-5};
const OPTIMIZERS: Record<string, () => Optimizer> = {
  sgd: () => train.sgd(0.1),
  momentum: () => train.momentum(0.1, 0.9),
  adagrad: () => train.adagrad(0.1),
  adadelta: () => train.adadelta(0.1),
  adam: () => train.adam(0.1),
  adamax: () => train.adamax(0.1),
  // Not centred: tfjs's centred form is NaN for every weight whose gradient is 0, with or without
  // this library.
  rmsprop: () => train.rmsprop(0.1, 0.9, 0.5),
};

/** Crossentropy plus a number for each row, on and off the tape. */
const withAdded = (added: number[]): PerSampleLoss => {
  const crossentropy = categoricalCrossentropy();
  return (yTrue, yPred) =>
    tidy(() => {
      // The truth of a row also says, in its third class, which number is added to its loss.
      const truth = slice(yTrue, [0, 0], [-1, 2]);
      const which = slice(yTrue, [0, 2], [-1, -1]);
      const extra = mean(mul(which, tensor1d(added)), 1);
      return add(crossentropy(truth, yPred), mul(extra, added.length));
    });
};

const stateOf = (model: LayersModel, optimizer: Optimizer) => {
  const slots = Object.values(optimizer)
    .flat()
    .map((field) => field?.variable ?? field)
    .filter((field): field is Tensor => typeof field?.dataSync === 'function');
  return {weights: weightValues(model), slots: slots.map((slot) => [...slot.dataSync()])};
};

describeOnBackends('ohemStep with losses that are not finite', () => {
  describe.each(STRATEGIES)('by %s', (backward) => {
    const build = (model: LayersModel, loss = categoricalCrossentropy(), optimizer = train.sgd(0.1) as Optimizer) =>
      ohemStep(model, {loss, select: all(), optimizer, backward});

    it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
      'leaves rows with an input of %d out, counts them, and learns from the others as if they were not there',
      async (value) => {
        const [model, without] = [tinyModel(), tinyModel()];
        const xs = tensor2d([1, 0, value, 1, 2, 0, 0, 2, -1, value, 1, -2], [6, 2]);
        const report = build(model)(xs, tinyYs());
        expect([...report.losses.dataSync()].map(Number.isFinite)).toEqual([true, false, true, true, false, true]);
        const {kept, nonFinite, loss, batchLoss} = await report.read();
        expect([kept, nonFinite]).toEqual([4, 2]);
        expect(batchLoss).toBeCloseTo(loss, 5);
        const rest = [tensor2d([1, 0, 2, 0, 0, 2, 1, -2], [4, 2]), tensor2d([1, 0, 1, 0, 1, 0, 0, 1], [4, 2])] as const;
        build(without)(...rest).dispose();
        weightValues(model).forEach((values, i) => {
          expectClose(values, weightValues(without)[i] as number[], CLOSE);
        });
      },
    );

    it('leaves rows out whose loss alone is not finite, also where its gradient is NaN', async () => {
      const [model, without] = [tinyModel(), tinyModel()];
      const which = oneHot(tensor1d([0, 1, 0, 2, 0, 0], 'int32'), 3);
      const ys = tidy(() => tensor2d([...tinyYs().dataSync()], [6, 2]));
      const truth = tensor2d(
        [...Array(6).keys()].map((row) => [
          ...ys.dataSync().slice(2 * row, 2 * row + 2),
          ...which.dataSync().slice(3 * row, 3 * row + 3),
        ]),
      );
      const report = build(model, withAdded([0, Number.POSITIVE_INFINITY, Number.NaN]))(tinyXs(), truth);
      const {nonFinite, kept} = await report.read();
      // 0 · ∞ is NaN in every row of this loss: nothing may change.
      expect([kept, nonFinite]).toEqual([0, 6]);
      expect(weightValues(model)).toEqual(weightValues(without));
    });

    it('leaves rows out whose truth is not finite', async () => {
      const loss: PerSampleLoss = (yTrue, yPred) => tidy(() => mean(square(sub(yTrue, yPred)), 1));
      const model = tinyModel();
      const {nonFinite, kept} = await build(model, loss)(
        tinyXs(),
        tensor2d([1, 0, Number.NaN, 1, 1, 0, 1, Number.POSITIVE_INFINITY, 0, 1, 0, 1], [6, 2]),
      ).read();
      expect([kept, nonFinite]).toEqual([4, 2]);
      expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
      expect(weightValues(model)).not.toEqual(weightValues(tinyModel()));
    });

    it('keeps weights finite where a row overflows inside the model', async () => {
      const model = sequential({
        layers: [
          layers.dense({units: 2, activation: 'relu', inputShape: [2], kernelInitializer: 'ones'}),
          layers.dense({units: 2, activation: 'softmax', kernelInitializer: 'glorotNormal'}),
        ],
      });
      const step = build(model);
      // A first step without overflow, so that pruned can look into the model.
      step(tensor2d([1, 1, 1, 0, 0, 1], [3, 2]), tensor2d([1, 0, 0, 1, 1, 0], [3, 2])).dispose();
      const before = weightValues(model);
      const {nonFinite, kept} = await step(
        tensor2d([3e38, 3e38, 1, 0, 0, 1], [3, 2]),
        tensor2d([1, 0, 0, 1, 1, 0], [3, 2]),
      ).read();
      expect([kept, nonFinite]).toEqual([backward === 'masked' ? 0 : 2, 1]);
      expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
      // masked cannot take the row out of its products: the step does not count. The others never
      // take it there.
      expect(String(weightValues(model)) === String(before)).toBe(backward === 'masked');
    });

    it.each(Object.keys(OPTIMIZERS))(
      'changes nothing where no row is finite: neither weights nor slots of %s',
      async (name) => {
        const [model, optimizer] = [tinyModel(), (OPTIMIZERS[name] as () => Optimizer)()];
        const step = build(model, categoricalCrossentropy(), optimizer);
        const bad = tensor2d(Array(12).fill(Number.NaN), [6, 2]);
        const fresh = weightValues(model);
        await step(bad, tinyYs()).read();
        expect(weightValues(model)).toEqual(fresh);
        step(tinyXs(), tinyYs()).dispose();
        const before = stateOf(model, optimizer);
        expect(before.weights.flat().every(Number.isFinite)).toBe(true);
        expect(before.weights).not.toEqual(fresh);
        const {kept, nonFinite, loss, batchLoss} = await step(bad, tinyYs()).read();
        expect([kept, nonFinite, loss, batchLoss]).toEqual([0, 6, 0, 0]);
        expect(stateOf(model, optimizer)).toEqual(before);
        step(tinyXs(), tinyYs()).dispose();
        expect(weightValues(model)).not.toEqual(before.weights);
        expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
      },
    );

    it('starts the slots of an optimizer clean where the first batch has no finite row', async () => {
      for (const make of Object.values(OPTIMIZERS)) {
        const [late, early] = [
          {model: tinyModel(), optimizer: make()},
          {model: tinyModel(), optimizer: make()},
        ];
        const lateStep = build(late.model, categoricalCrossentropy(), late.optimizer);
        const earlyStep = build(early.model, categoricalCrossentropy(), early.optimizer);
        lateStep(tensor2d(Array(12).fill(Number.NaN), [6, 2]), tinyYs()).dispose();
        for (let t = 0; t < 3; t++) for (const step of [lateStep, earlyStep]) step(tinyXs(), tinyYs()).dispose();
        late.model.getWeights().forEach((weight, i) => {
          expectClose(weight, early.model.getWeights()[i] as Tensor, CLOSE);
        });
      }
    });

    itIf(backward !== 'recompute')('leaves the statistics of batch normalisation alone if no row is finite', () => {
      const model = sequential({
        layers: [layers.batchNormalization({inputShape: [2]}), layers.dense({units: 2, activation: 'softmax'})],
      });
      const step = build(model);
      step(tinyXs(), tinyYs()).dispose();
      const before = weightValues(model);
      step(tensor2d(Array(12).fill(Number.NaN), [6, 2]), tinyYs()).dispose();
      expect(weightValues(model)).toEqual(before);
    });

    it('refuses to train on a row that is not finite even where a selector insists', async () => {
      const [model, before] = [tinyModel(), weightValues(tinyModel())];
      const step = ohemStep(model, {
        loss: categoricalCrossentropy(),
        select: () => ({indices: tensor1d([1, 0], 'int32'), weights: tensor1d([1, 1])}),
        optimizer: train.sgd(0.1),
        backward,
      });
      const report = step(tensor2d([1, 0, Number.NaN, 1], [2, 2]), tensor2d([0, 1, 0, 1], [2, 2]));
      expect([...report.selection.weights.dataSync()]).toEqual([0, 1]);
      expect((await report.read()).nonFinite).toBe(1);
      expect(weightValues(model)).not.toEqual(before);
      expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
    });
  });

  describe('and statistics of the batch', () => {
    const layersOf: Record<string, () => Parameters<typeof sequential>[0]> = {
      first: () => ({
        layers: [
          layers.batchNormalization({inputShape: [2]}),
          layers.dense({units: 4, activation: 'tanh'}),
          layers.dense({units: 2, activation: 'softmax'}),
        ],
      }),
      between: () => ({
        layers: [
          layers.dense({units: 4, activation: 'tanh', inputShape: [2]}),
          layers.batchNormalization(),
          layers.dense({units: 2, activation: 'softmax'}),
        ],
      }),
      linear: () => ({
        layers: [
          layers.dense({units: 4, inputShape: [2]}),
          layers.batchNormalization(),
          layers.dense({units: 2, activation: 'softmax'}),
        ],
      }),
      last: () => ({
        layers: [layers.dense({units: 2, inputShape: [2]}), layers.batchNormalization(), layers.softmax({axis: -1})],
      }),
    };

    it.each(['first', 'between', 'last'])(
      'leaves one row out, not its batch, with batch normalisation %s',
      async (place) => {
        const bad = tensor2d([1, 0, Number.NaN, 1, 2, 0, 0, 2, -1, -1, 1, -2], [6, 2]);
        for (const backward of ['masked', 'pruned', 'auto'] as const) {
          for (const what of ['xs', 'ys', 'weights'] as const) {
            const model = sequential((layersOf[place] as () => Parameters<typeof sequential>[0])());
            const step = ohemStep(model, {
              loss: meanSquaredError(),
              select: topK({k: 4}),
              optimizer: train.sgd(0.1),
              backward,
            });
            const before = weightValues(model);
            const {kept, nonFinite} = await step(what === 'xs' ? bad : tinyXs(), what === 'ys' ? bad : tinyYs(), {
              ...(what === 'weights' && {sampleWeight: tensor1d([1, Number.NaN, 1, 1, 1, 1])}),
            }).read();
            expect([kept, nonFinite]).toEqual([4, 1]);
            expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
            expect(weightValues(model)).not.toEqual(before);
          }
        }
      },
    );

    it('takes a step back whose statistics or second moments an outlier makes infinite, and learns from later ones', async () => {
      const outlier = tensor2d([1, 0, 1e25, 1, 2, 0, 0, 2, -1, -1, 1, -2], [6, 2]);
      for (const build of [layersOf.linear, layersOf.last]) {
        const [model, optimizer] = [sequential((build as () => Parameters<typeof sequential>[0])()), train.adam(0.05)];
        const step = ohemStep(model, {loss: meanSquaredError(), select: all(), optimizer});
        const before = stateOf(model, optimizer);
        expect((await step(outlier, tinyYs()).read()).kept).toBe(0);
        expect(stateOf(model, optimizer)).toEqual(before);
        const {batchLoss: first} = await step(tinyXs(), tinyYs()).read();
        for (let t = 0; t < 60; t++) step(tinyXs(), tinyYs()).dispose();
        expect((await step(tinyXs(), tinyYs()).read()).batchLoss).toBeLessThan(first);
        expect(Object.values(stateOf(model, optimizer)).flat(2).every(Number.isFinite)).toBe(true);
      }
    });
  });

  it('counts only rows that are valid', async () => {
    const step = ohemStep(tinyModel(), {
      loss: categoricalCrossentropy(),
      select: topK({k: 3}),
      optimizer: train.sgd(0.1),
    });
    const xs = tensor2d([1, 0, Number.NaN, 1, 2, 0, Number.NaN, 2, -1, -1, 1, -2], [6, 2]);
    const {nonFinite} = await step(xs, tinyYs(), {valid: tensor1d([1, 1, 1, 0, 1, 1])}).read();
    expect(nonFinite).toBe(1);
  });
});
