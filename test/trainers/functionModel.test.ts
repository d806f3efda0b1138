import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  categoricalCrossentropy,
  type FunctionModel,
  fitOhem,
  fitOhemDataset,
  hardestExamples,
  meanSquaredError,
  ohemStep,
  perSampleLosses,
  topK,
} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';

const KERNEL = [0.5, -0.3, 0.1, 0.2, 0.8, -0.4];
const ROWS = 12;
const xs = () => tf.randomNormal([ROWS, 2], 0, 1, 'float32', 3) as tf.Tensor2D;
const ys = () => tf.oneHot(tf.tensor1d(Int32Array.from({length: ROWS}, (_, row) => row % 3)), 3);

/** The same network twice: as variables and a function, and as layers. */
function bothForms() {
  const kernel = tf.variable(tf.tensor2d(KERNEL, [2, 3]));
  const bias = tf.variable(tf.zeros([3]));
  const net: FunctionModel = {
    predict: (x: tf.Tensor2D) => tf.softmax(tf.add(tf.matMul(x, kernel), bias)),
    variables: [kernel, bias],
  };
  const model = sequential({layers: [layers.dense({units: 3, activation: 'softmax', inputShape: [2]})]});
  model.setWeights([tf.tensor2d(KERNEL, [2, 3]), tf.zeros([3])]);
  const ofNet = () => net.variables.flatMap((variable) => [...variable.dataSync()]);
  const ofModel = () => model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  return {net, model, ofNet, ofModel};
}

describeOnBackends('A function of variables', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const loss = categoricalCrossentropy();
  const select = topK({ratio: 0.5});

  it.each(['auto', 'pruned', 'masked'] as const)('is trained like the model of layers by ohemStep, %s', (backward) => {
    const {net, model, ofNet, ofModel} = bothForms();
    const ofFunction = ohemStep(net, {loss, select, optimizer: tf.train.adam(0.1), backward});
    const ofLayers = ohemStep(model, {loss, select, optimizer: tf.train.adam(0.1), backward});
    for (let i = 0; i < 4; i++) {
      ofFunction(xs(), ys()).dispose();
      ofLayers(xs(), ys()).dispose();
    }
    expectClose(ofNet(), ofModel(), {absolute: 1e-6, relative: 1e-6});
    expect(ofFunction.strategy).toBe(backward === 'masked' ? 'masked' : 'pruned');
  });

  it('is trained like the model of layers by fitOhem, with validation and the best weights', async () => {
    const {net, model, ofNet, ofModel} = bothForms();
    const args = {loss, select, batchSize: 5, epochs: 3, seed: 1, verbose: 0, validationSplit: 0.25} as const;
    const of = (trained: FunctionModel | typeof model) =>
      fitOhem(trained, xs(), ys(), {...args, optimizer: tf.train.adam(0.1), restoreBestWeights: true});
    const [ofFunction, ofLayers] = [await of(net), await of(model)];
    expectClose(ofNet(), ofModel(), {absolute: 1e-6, relative: 1e-6});
    for (const name of ['loss', 'batchLoss', 'kept', 'val_loss']) {
      expectClose(ofFunction.history[name] as number[], ofLayers.history[name] as number[], {
        absolute: 1e-6,
        relative: 1e-6,
      });
    }
    expect(net.history).toBe(ofFunction);
  });

  it('is trained by fitOhemDataset, and scored', async () => {
    const {net, model, ofNet, ofModel} = bothForms();
    const batches = () => [0, 6].map((first) => ({xs: tf.slice(xs(), first, 6), ys: tf.slice(ys(), first, 6)}));
    const args = {loss, select, epochs: 2, verbose: 0} as const;
    await fitOhemDataset(net, batches, {...args, optimizer: tf.train.sgd(0.1)});
    await fitOhemDataset(model, batches, {...args, optimizer: tf.train.sgd(0.1)});
    expectClose(ofNet(), ofModel(), {absolute: 1e-6, relative: 1e-6});
    const scored = await perSampleLosses(net, xs(), ys(), {loss});
    expectClose([...scored], [...(await perSampleLosses(model, xs(), ys(), {loss}))], {absolute: 1e-6, relative: 1e-6});
    const [hardest] = await hardestExamples(net, xs(), ys(), {loss, count: 1});
    expect(hardest).toEqual((await hardestExamples(model, xs(), ys(), {loss, count: 1}))[0]);
  });

  it('gets its inputs in the form in which they are given, in training and beside it', () => {
    const {net} = bothForms();
    const seen: [string, boolean][] = [];
    const form = (x: tf.Tensor | tf.Tensor[] | {a: tf.Tensor}) =>
      x instanceof tf.Tensor ? 'tensor' : Array.isArray(x) ? `list of ${x.length}` : Object.keys(x).join();
    const watched: FunctionModel = {
      ...net,
      predict: (x, training) => {
        seen.push([form(x), training]);
        const [first] = x instanceof tf.Tensor ? [x] : (Object.values(x) as tf.Tensor[]);
        return net.predict(first as tf.Tensor, training);
      },
    };
    const step = ohemStep(watched, {loss, optimizer: tf.train.sgd(0.1)});
    step(xs(), ys()).dispose();
    step([xs(), xs()], ys()).dispose();
    step({b: xs(), a: xs()}, ys()).dispose();
    expect(seen).toEqual([
      ['tensor', true],
      ['list of 2', true],
      ['b,a', true],
    ]);
  });

  it('has several outputs, by list or by name, and takes one value a row as one feature', () => {
    const w = tf.variable(tf.scalar(0.5));
    const pair = (x: tf.Tensor2D) => [tf.mul(x, w), tf.reshape(tf.sum(tf.mul(x, tf.square(w)), 1), [ROWS])];
    const y = () => [xs(), tf.ones([ROWS])];
    const options = {select: all(), optimizer: tf.train.sgd(0)};
    const listed = ohemStep(
      {predict: pair, variables: [w]},
      {...options, loss: [meanSquaredError(), meanSquaredError()], lossWeights: [1, 2]},
    );
    const named = ohemStep(
      {predict: (x) => ({second: pair(x)[1] as tf.Tensor, first: pair(x)[0] as tf.Tensor}), variables: [w]},
      {...options, loss: {first: meanSquaredError(), second: meanSquaredError()}, lossWeights: {second: 2}},
    );
    const [first, second] = y() as [tf.Tensor, tf.Tensor];
    const expected = tf.add(
      tf.mean(tf.squaredDifference(tf.mul(xs(), 0.5), first), 1),
      tf.mul(2, tf.squaredDifference(tf.sum(tf.mul(xs(), 0.25), 1), second)),
    );
    expectClose([...listed(xs(), [first, second]).losses.dataSync()], [...expected.dataSync()], {
      absolute: 1e-6,
      relative: 1e-6,
    });
    expectClose([...named(xs(), {second, first}).losses.dataSync()], [...expected.dataSync()], {
      absolute: 1e-6,
      relative: 1e-6,
    });
  });

  it('trains a head on features, and leaves variables alone that it does not list', () => {
    const base = tf.variable(tf.randomNormal([2, 4], 0, 1, 'float32', 1));
    const head = tf.variable(tf.randomNormal([4, 3], 0, 1, 'float32', 2));
    const before = [...base.dataSync()];
    const predict = (x: tf.Tensor2D) => tf.softmax(tf.matMul(tf.relu(tf.matMul(x, base)), head));
    const step = ohemStep({predict, variables: [head]}, {loss, optimizer: tf.train.sgd(0.5)});
    const headBefore = [...head.dataSync()];
    step(xs(), ys()).dispose();
    expect([...base.dataSync()]).toEqual(before);
    expect([...head.dataSync()]).not.toEqual(headBefore);
  });

  it('leaves no tensor behind', async () => {
    const {net} = bothForms();
    const [x, y] = [xs(), ys()];
    const optimizer = tf.train.sgd(0.1);
    const step = ohemStep(net, {loss, select, optimizer});
    step(x, y).dispose();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) step(x, y).dispose();
    await fitOhem(net, x, y, {loss, select, optimizer, verbose: 0, epochs: 2});
    expect(tf.memory().numTensors).toBe(before);
  });

  it('stops where a callback sets stopTraining, of tfjs too', async () => {
    const {net} = bothForms();
    const {history} = await fitOhem(net, xs(), ys(), {
      ...{loss, optimizer: tf.train.sgd(0.1), epochs: 9, verbose: 0},
      callbacks: {
        onEpochEnd: (epoch: number) => {
          net.stopTraining = epoch === 2;
        },
      },
    });
    expect(history.loss).toHaveLength(3);
  });

  it('is refused in plain words, before anything changes', () => {
    const {net, ofNet} = bothForms();
    const before = ofNet();
    const build = (model: object) => () => ohemStep(model as FunctionModel, {loss, optimizer: tf.train.sgd(1)});
    const run =
      (model: FunctionModel, options = {}) =>
      () =>
        ohemStep(model, {loss, optimizer: tf.train.sgd(1), ...options})(xs(), ys());
    const variable = tf.variable(tf.ones([3]), true, 'gone');
    variable.dispose();
    const frozen = tf.variable(tf.ones([3]), false, `still${tf.getBackend()}`);
    expect(build({predict: 3, variables: []})).toThrow('ohemStep: model.predict must be a function, got 3.');
    expect(build({...net, variables: {}})).toThrow('ohemStep: model.variables must be a list, got {}.');
    expect(build({...net, variables: [tf.ones([1])]})).toThrow(
      'ohemStep: model.variables[0] must be a tf.Variable, got a tensor',
    );
    expect(build(Object.freeze({...net}))).toThrow('ohemStep: model must be a writable record, got a frozen one.');
    expect(build({...net, variables: []})).toThrow('ohemStep: model must have a weight to train, got none.');
    expect(build({...net, variables: [variable]})).toThrow(
      'ohemStep: model.variables[0] must be in use, got gone, which is disposed.',
    );
    expect(build({...net, variables: [frozen]})).toThrow(
      `ohemStep: model.variables[0] must be trainable, got still${tf.getBackend()}, which is not. Omit it`,
    );
    expect(run({...net, predict: (x) => tf.slice(net.predict(x, true) as tf.Tensor, 0, 5)})).toThrow(
      'ohemStep: model.predict must return 12 rows, one for each row of xs, got [5, 3].',
    );
    expect(run({...net, predict: () => 3 as never})).toThrow('ohemStep: model.predict must return a tensor');
    expect(run({...net, predict: (x) => [x, x]})).toThrow(
      'ohemStep: model.predict must return 1 tensors (output), got 2. Pass one loss per output',
    );
    expect(run(net, {backward: 'recompute'})).toThrow(
      "ohemStep: model must be known to treat each row independently for backward: 'recompute'",
    );
    const step = ohemStep(net, {loss, optimizer: tf.train.sgd(1)});
    expect(() => step({} as never, ys())).toThrow(
      'ohemStep: xs must be a tensor, a list of tensors or a record of them, got {}.',
    );
    expect(() => step([xs(), tf.ones([3, 2])], ys())).toThrow(
      'ohemStep: xs must have the same number of rows in every input, 12, got 3 in 1.',
    );
    expect(ofNet()).toEqual(before);
  });
});
