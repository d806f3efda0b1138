import * as tf from '@tensorflow/tfjs-core';
import {
  categoricalCrossentropy,
  fitOhem,
  jointLoss,
  meanSquaredError,
  ohemLoss,
  ohemStep,
  perSampleLosses,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {recordingOptimizer} from '../support/recordingOptimizer';
import {twoOutputs} from '../support/twoOutputs';

describeOnBackends('jointLoss', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const rowsOf = (truth: tf.Tensor, predicted: tf.Tensor) => tf.mean(tf.squaredDifference(truth, predicted), 1);
  const together = jointLoss(([left, right], [ofLeft, ofRight]) =>
    tf.add(rowsOf(left as tf.Tensor, ofLeft as tf.Tensor), tf.mul(2, rowsOf(right as tf.Tensor, ofRight as tf.Tensor))),
  );

  it.each(['auto', 'pruned', 'masked', 'recompute'] as const)(
    'has the gradient of a sum of losses by output, %s',
    (backward) => {
      const gradientsOf = (options: object) => {
        const {model, x, y} = twoOutputs();
        const recorder = recordingOptimizer();
        const step = ohemStep(model, {select: topK({k: 2}), optimizer: recorder.optimizer, backward, ...options});
        const report = step(x, y, {sampleWeight: [1, 2, 1, 0.5]});
        return [...recorder.gradients.map((gradient) => [...gradient.dataSync()]), [...report.losses.dataSync()]];
      };
      const byOutput = gradientsOf({loss: [meanSquaredError(), meanSquaredError()], lossWeights: [1, 2]});
      const joint = gradientsOf({loss: Object.assign({rowwise: true as const}, together)});
      for (const [i, values] of byOutput.entries())
        expectClose(joint[i] as number[], values, {absolute: 1e-6, relative: 1e-6});
    },
  );

  it('is that of tf.variableGrads for a loss that compares rows', () => {
    const {model, x, y} = twoOutputs();
    const contrast = jointLoss((_, [left, right]) => {
      const distances = tf.square(tf.sub(right as tf.Tensor, tf.transpose(right as tf.Tensor)));
      return tf.add(tf.mean(distances, 1), tf.sum(left as tf.Tensor, 1));
    });
    const recorder = recordingOptimizer();
    const report = ohemStep(model, {loss: contrast, select: topK({k: 2}), optimizer: recorder.optimizer})(x, y);
    const rows = [...report.selection.indices.dataSync()];
    const variables = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const mask = tf.tensor1d([0, 1, 2, 3].map((row) => (rows.includes(row) ? 0.5 : 0)));
    const {grads} = tf.variableGrads(
      () => tf.sum(tf.mul(mask, contrast.compute(y, model.apply(x, {training: true}) as tf.Tensor[]))) as tf.Scalar,
      variables,
    );
    for (const [i, variable] of variables.entries()) {
      const expected = grads[variable.name] ?? tf.zerosLike(variable);
      expectClose([...(recorder.gradients[i] as tf.Tensor).dataSync()], [...expected.dataSync()], {
        absolute: 1e-6,
        relative: 1e-6,
      });
    }
  });

  it('takes targets of any number, and leaves out rows whose target is not finite', async () => {
    const {model, x, y} = twoOutputs();
    const distilled = jointLoss(([labels, teacher, bias], predictions) =>
      tf.add(
        tf.add(rowsOf(labels as tf.Tensor, predictions[0] as tf.Tensor), bias as tf.Tensor1D),
        tf.mean(tf.abs(tf.sub(teacher as tf.Tensor, predictions[1] as tf.Tensor)), 1),
      ),
    );
    const targets = [y[0], y[1], tf.tensor1d([0, 1, Number.NaN, 0])];
    const report = ohemStep(model, {loss: distilled, select: topK({k: 2}), optimizer: tf.train.sgd(0.01)})(x, targets);
    const losses = [...report.losses.dataSync()];
    expect(losses.map(Number.isFinite)).toEqual([true, true, false, true]);
    expect(await report.read()).toMatchObject({kept: 2, nonFinite: 1});
  });

  it('is trained on by fitOhem, and scored', async () => {
    const fitted = async (options: object) => {
      const {model, x, y} = twoOutputs();
      const args = {select: topK({k: 1}), epochs: 2, batchSize: 2, verbose: 0, seed: 1} as const;
      const {history} = await fitOhem(model, x, y, {
        ...args,
        optimizer: tf.train.sgd(0.01),
        validationSplit: 0.5,
        ...options,
      });
      const scored = await perSampleLosses(model, x, y, options);
      return [history.loss as number[], history.val_loss as number[], [...scored]];
    };
    const byOutput = await fitted({loss: [meanSquaredError(), meanSquaredError()], lossWeights: [1, 2]});
    const joint = await fitted({loss: together});
    for (const [i, values] of byOutput.entries())
      expectClose(joint[i] as number[], values, {absolute: 1e-6, relative: 1e-6});
  });

  it('refuses what it cannot do, by name', () => {
    const {model, x, y} = twoOutputs();
    const build = (options: object) => () => ohemStep(model, {loss: together, optimizer: tf.train.sgd(1), ...options});
    expect(() => jointLoss(3 as never)).toThrow(
      'jointLoss: loss must be a function (ys, predictions) => float32[B], got 3.',
    );
    expect(build({granularity: 'element'})).toThrow(
      "ohemStep: granularity must be 'sample' with a joint loss, got element.",
    );
    expect(build({lossWeights: [1, 2]})).toThrow('ohemStep: lossWeights must have 1 items (loss), got 2.');
    const step = build({})();
    expect(() => step(x, y, {classWeight: {0: 2}})).toThrow('ohemStep: classWeight must be left out with a joint loss');
    expect(() => step(x, [y[0], tf.ones([3, 1])])).toThrow('ohemStep: ys must have as many rows as xs, 4, got 3.');
    const scalar = jointLoss(() => tf.scalar(1));
    expect(() => ohemStep(model, {loss: scalar, optimizer: tf.train.sgd(1)})(x, y)).toThrow(
      'ohemStep: loss must return one value for each row, float32 of shape [4] or [4, …], got [].',
    );
    expect(() => ohemLoss(together as never)).toThrow(
      'ohemLoss: loss must be a per-sample loss, got {isJoint, compute}.',
    );
    expect(() => ohemStep(model, {loss: [together, categoricalCrossentropy()] as never})).toThrow(
      'ohemStep: loss must be a function',
    );
  });
});
