import {cast, oneHot, onesLike, type Tensor1D, tensor1d, tensor2d, tidy, topk, train} from '@tensorflow/tfjs-core';
import {initializers, layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, ohemStep, type Selector, type StepReport, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../../support/backends';

const modelOf = (seed: number) =>
  sequential({
    layers: [
      layers.dense({
        units: 3,
        activation: 'softmax',
        inputShape: [4],
        kernelInitializer: initializers.glorotNormal({seed}),
      }),
    ],
  });

const batch = () => ({
  xs: tensor2d(
    Array.from({length: 24}, (_, i) => Math.sin(1.7 * i)),
    [6, 4],
  ),
  ys: oneHot(tensor1d([0, 1, 2, 0, 1, 2], 'int32'), 3),
});

describeOnBackends('the weights of a selection', () => {
  it('may be integers that were cast to floats', () => {
    /** On cpu, such a tensor of floats keeps its integers. */
    const byCast: Selector = (losses) => {
      const indices = topk(losses, 3).indices as Tensor1D;
      return {indices, weights: cast(onesLike(indices), 'float32')};
    };
    const gradientsBy = (select: Selector) => {
      const model = modelOf(1);
      const step = ohemStep(model, {loss: categoricalCrossentropy(), select, optimizer: train.sgd(0.1)});
      const {xs, ys} = batch();
      const {gradients, report} = step.gradients(xs, ys);
      const values = Object.values(gradients).flatMap((gradient) => [...gradient.dataSync()]);
      report.dispose();
      return values;
    };
    tidy(() => {
      const due = gradientsBy(topK({k: 3}));
      expect(due.some((value) => Math.abs(value) > 0.01)).toBe(true);
      expect(gradientsBy(byCast)).toEqual(due);
    });
  });
});

describeOnBackends('a step whose selector takes a step by the same optimizer', () => {
  it('finds its own slots among those that are added meanwhile', () => {
    const trained = (nested: boolean) => {
      const [model, other] = [modelOf(1), modelOf(5)];
      const [momentum, others] = [train.momentum(0.05, 0.9), train.momentum(0.05, 0.9)];
      const common = {loss: categoricalCrossentropy(), select: topK({k: 4})};
      const inner = ohemStep(other, {...common, optimizer: nested ? momentum : others});
      const select: Selector = (losses, context) => {
        const {xs, ys} = batch();
        inner(xs, ys).dispose();
        return common.select(losses, context);
      };
      const outer = ohemStep(model, {...common, select, optimizer: momentum});
      for (let i = 0; i < 4; i++) tidy(() => void outer(batch().xs, batch().ys).dispose());
      return [model, other].map((each) => each.getWeights().map((weight) => [...weight.dataSync()]));
    };
    expect(trained(true)).toEqual(trained(false));
  });
});

describeOnBackends('a report that tidy returns', () => {
  it('has all its figures, also with rows that are not valid', () => {
    const step = ohemStep(modelOf(1), {
      loss: categoricalCrossentropy(),
      select: topK({ratio: 0.5}),
      optimizer: train.sgd(0.1),
    });
    const report: StepReport = tidy(() => step(batch().xs, batch().ys, {valid: tensor1d([1, 1, 1, 1, 0, 0])}) as never);
    expect(report.batchLoss.dataSync()[0]).toBeGreaterThan(0);
    expect([...report.nonFinite.dataSync()]).toEqual([0]);
    expect(Object.keys(report)).toEqual(
      expect.arrayContaining(['loss', 'batchLoss', 'nonFinite', 'losses', 'selection']),
    );
    report.dispose();
  });
});
