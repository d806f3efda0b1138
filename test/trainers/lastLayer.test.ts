/** @file Steps with selectors that go by the last dense layer of the model. */
import * as tf from '@tensorflow/tfjs-core';
import {model as functional, type LayersModel, layers, type SymbolicTensor, sequential} from '@tensorflow/tfjs-layers';
import {
  all,
  binaryCrossentropy,
  categoricalCrossentropy,
  diversified,
  fitOhem,
  ghm,
  gradientNormBound,
  mapSelector,
  meanSquaredError,
  type OhemStepOptions,
  ohemLoss,
  ohemStep,
  type SelectionContext,
  type Selector,
  scheduled,
  scored,
  sparseCategoricalCrossentropy,
  topK,
  towards,
} from 'ohem-tfjs';
import {linear} from 'ohem-tfjs/schedules';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {greedyInJs, pursuedInJs} from '../support/lastLayerGradients';
import {randomFrom} from '../support/property';
import {leftBy, valuesOf} from '../support/tensors';
import {weightValues} from '../support/tinyModel';
import {trainsOn} from '../support/wasmTraining';

const NEAR = {absolute: 1e-6, relative: 1e-5};
const kernelInitializer = {className: 'GlorotNormal', config: {seed: 3}} as never;
const dense = (units: number, more: object = {}) => layers.dense({units, kernelInitializer, ...more});

/** Models that end in a dense layer, one way or another. */
const MODELS: Record<string, () => {model: LayersModel; last: ReturnType<typeof dense>}> = {
  'two dense layers'() {
    const last = dense(3, {activation: 'softmax'});
    return {model: sequential({layers: [dense(5, {inputShape: [4], activation: 'tanh'}), last]}), last};
  },
  'an activation behind it'() {
    const last = dense(3);
    const softmax = layers.activation({activation: 'softmax'});
    return {model: sequential({layers: [dense(5, {inputShape: [4]}), layers.dropout({rate: 0}), last, softmax]}), last};
  },
  'one dense layer'() {
    const last = dense(3, {inputShape: [4], activation: 'softmax'});
    return {model: sequential({layers: [last]}), last};
  },
  'a graph'() {
    const input = layers.inputLayer({inputShape: [4]}).output as SymbolicTensor;
    const branches = [dense(3), dense(2)].map((layer) => layer.apply(input) as SymbolicTensor);
    const last = dense(3, {activation: 'softmax'});
    const joined = layers.concatenate().apply(branches) as SymbolicTensor;
    return {model: functional({inputs: input, outputs: last.apply(joined) as SymbolicTensor}), last};
  },
  'a model in a model'() {
    const last = dense(3, {activation: 'softmax'});
    const inner = sequential({layers: [dense(6, {inputShape: [5], activation: 'relu'}), last]});
    return {model: sequential({layers: [dense(5, {inputShape: [4]}), inner]}), last};
  },
};

/** The input of a layer when its model is given rows. */
function inputOf(layer: ReturnType<typeof dense>, model: LayersModel, xs: tf.Tensor): number[] {
  const {call} = layer;
  let seen: number[] = [];
  layer.call = function (inputs, kwargs) {
    seen = [...([inputs].flat()[0] as tf.Tensor).dataSync()];
    return call.call(this, inputs, kwargs);
  };
  tf.dispose(model.predict(xs));
  delete (layer as {call?: unknown}).call;
  return seen;
}

const batch = (rows: number, seed: number) => {
  const random = randomFrom(seed);
  return {
    xs: tf.randomNormal([rows, 4], 0, 1, 'float32', seed + 1),
    ys: tf.tensor1d(Array.from({length: rows}, () => Math.floor(3 * random()))),
  };
};

/** Keeps all rows, and notes what it is given. */
function noting(seen: number[][], what: (context: SelectionContext) => tf.Tensor | undefined): Selector {
  const choose: Selector = (losses, context) => {
    const found = what(context ?? {});
    if (found) seen.push([...found.dataSync()]);
    return all()(losses, context);
  };
  return Object.assign(choose, {needs: ['features'] as const});
}

const options = (more: OhemStepOptions): OhemStepOptions => ({
  ...{loss: sparseCategoricalCrossentropy(), optimizer: tf.train.sgd(0.2), ...more},
});

describeOnBackends('A step whose selector needs features', (backend) => {
  trainsOn(backend);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it.each(Object.keys(MODELS))('gives it the input of the last dense layer, on tapes and replayed: %s', (name) => {
    const {model, last} = (MODELS[name] as () => ReturnType<(typeof MODELS)[string]>)();
    const seen: number[][] = [];
    const step = ohemStep(model, options({select: noting(seen, ({features}) => features)}));
    for (let t = 0; t < 6; t++) {
      const {xs, ys} = batch(7, t);
      const expected = inputOf(last, model, xs);
      step(xs, ys).dispose();
      expectClose(seen.at(-1) ?? [], expected, NEAR);
    }
    expect(seen).toHaveLength(6);
    expect(step.why).toContain('the kernels of an earlier step run again');
    step.dispose();
  });

  it('trains as one that does not, with the same rows', () => {
    const after = (select: Selector) => {
      const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
      const step = ohemStep(model, options({select}));
      for (let t = 0; t < 5; t++) {
        const {xs, ys} = batch(9, t);
        step(xs, ys).dispose();
      }
      step.dispose();
      return weightValues(model).flat();
    };
    const half = topK({ratio: 0.5});
    const asking = Object.assign(
      mapSelector(half, (selection) => selection),
      {needs: ['features'] as const},
    );
    expect(after(asking)).toEqual(after(half));
  });

  it('gives none to a selector that does not ask', () => {
    const seen: number[][] = [];
    const {needs: _, ...rest} = noting(seen, ({features}) => features);
    const select: Selector = Object.assign((...given: Parameters<Selector>) => all()(...given), rest);
    let found: unknown = 'unset';
    const spy: Selector = (losses, context) => {
      found = context?.features;
      return select(losses, context);
    };
    const {model} = (MODELS['one dense layer'] as (typeof MODELS)[string])();
    const {xs, ys} = batch(5, 1);
    ohemStep(model, options({select: spy}))(xs, ys).dispose();
    expect(found).toBeUndefined();
  });

  it('picks the rows that gradients picks which tfjs computes one by one, on random models', () => {
    let compared = 0;
    for (let seed = 0; seed < 12; seed++) {
      const [rows, hidden] = [12, 3 + (seed % 5)];
      const last = dense(3, {
        activation: 'softmax',
        kernelInitializer: {className: 'RandomNormal', config: {stddev: 1, seed}},
      });
      const first = dense(hidden, {
        ...{inputShape: [4], activation: 'tanh'},
        kernelInitializer: {className: 'RandomNormal', config: {stddev: 1, seed: seed + 50}},
      });
      const model = sequential({layers: [first, last]});
      const {xs, ys} = batch(rows, seed);
      const kernel = last.getWeights().length > 0 ? (last.weights[0] as {read(): tf.Tensor}).read() : undefined;
      const lossOf = sparseCategoricalCrossentropy();
      const gradients = Array.from({length: rows}, (_, row) => {
        const [x, y] = [tf.slice(xs, row, 1), tf.slice(ys, row, 1)];
        const {grads} = tf.variableGrads(() => tf.sum(lossOf(y, model.apply(x) as tf.Tensor)), [kernel as tf.Variable]);
        return [...(Object.values(grads)[0] as tf.Tensor).dataSync()];
      });
      const picks = pursuedInJs(gradients, [...gradients.keys()], 4);
      const most = picks[0]?.left ?? 0;
      if (picks.some(({lead, left}) => lead < 1e-5 || left < 1e-4 * most)) continue;
      compared++;
      const step = ohemStep(model, options({select: diversified({k: 4})}));
      const report = step(xs, ys);
      expect(new Set(report.selection.indices.dataSync())).toEqual(new Set(picks.map(({row}) => row)));
      report.dispose();
      step.dispose();
    }
    expect(compared).toBeGreaterThanOrEqual(11);
  });

  it.each([
    ['logits', undefined],
    ['probabilities', 'sigmoid'],
  ] as const)('picks by the gradients of several binary labels a row, from %s', (_, activation) => {
    let compared = 0;
    for (let seed = 0; seed < 20; seed++) {
      const last = dense(3, {
        ...{activation, inputShape: [4]},
        kernelInitializer: {className: 'RandomNormal', config: {stddev: 1, seed}},
      });
      const model = sequential({layers: [last]});
      const fromLogits = activation === undefined;
      const lossOf = binaryCrossentropy({fromLogits});
      const labelled = (rows: number, of: number) => {
        const random = randomFrom(of);
        return {
          xs: batch(rows, of).xs,
          ys: tf.tensor2d(
            Array.from({length: rows * 3}, () => +(random() < 0.5)),
            [rows, 3],
          ),
        };
      };
      const [{xs, ys}, held] = [labelled(12, seed), labelled(5, seed + 40)];
      const variables = last.weights.map((weight) => (weight as {read(): tf.Tensor}).read() as tf.Variable);
      const gradientsOf = (given: typeof held, withBias: boolean) =>
        tf.unstack(given.xs).map((x, row) => {
          const loss = () => tf.sum(lossOf(tf.slice(given.ys, row, 1), model.apply(tf.expandDims(x, 0)) as tf.Tensor));
          const {grads} = tf.variableGrads(loss as () => tf.Scalar, variables);
          const taken = withBias ? variables : variables.slice(0, 1);
          return taken.flatMap(({name}) => [...(grads[name] as tf.Tensor).dataSync()]);
        });
      const pursued = pursuedInJs(
        gradientsOf({xs, ys}, false),
        Array.from({length: 12}, (_, row) => row),
        4,
      );
      const gradients = gradientsOf({xs, ys}, true);
      const ofHeld = gradientsOf(held, true);
      const target = (ofHeld[0] as number[]).map((_, i) => ofHeld.reduce((sum, g) => sum + (g[i] as number) / 5, 0));
      const cases = [
        [diversified({k: 4, fromLogits}), pursued, (pursued[0]?.left ?? 0) * 1e-4],
        [
          towards(held, {k: 4, learningRate: 0.1, fromLogits}),
          greedyInJs(gradients, target, 0.1, [...gradients.keys()], 4),
          0,
        ],
      ] as const;
      for (const [select, picks, least] of cases) {
        if (picks.some((pick) => pick.lead < 1e-5 || ('left' in pick && Number(pick.left) < least))) continue;
        compared++;
        const report = ohemStep(model, options({loss: lossOf, select, optimizer: tf.train.sgd(1e-9)}))(xs, ys);
        expect(new Set(report.selection.indices.dataSync())).toEqual(new Set(picks.map(({row}) => row)));
        report.dispose();
      }
    }
    expect(compared).toBeGreaterThanOrEqual(36);
  });

  it('refuses another fromLogits than the loss or the last activation has, and changes nothing', () => {
    const held = batch(3, 1);
    const selectors = (fromLogits: boolean): [string, Selector][] => [
      ['diversified', diversified({k: 2, fromLogits})],
      ['towards', towards(held, {k: 2, learningRate: 0.1, fromLogits})],
      ['ghm', ghm({fromLogits})],
      ['gradientNormBound', scored(topK({k: 2}), gradientNormBound({fromLogits}))],
    ];
    const softmaxLayer = () => sequential({layers: [dense(3, {inputShape: [4]}), layers.softmax()]});
    const ofUnits = (activation?: 'softmax') => () => sequential({layers: [dense(3, {inputShape: [4], activation})]});
    const own = (yTrue: tf.Tensor, yPred: tf.Tensor) => sparseCategoricalCrossentropy()(yTrue, yPred);
    const cases = [
      [ofUnits(), sparseCategoricalCrossentropy({fromLogits: true}), true],
      [ofUnits('softmax'), sparseCategoricalCrossentropy(), false],
      [ofUnits('softmax'), own, false],
      [softmaxLayer, own, false],
    ] as const;
    for (const [make, loss, isRight] of cases) {
      for (const [name, select] of selectors(!isRight)) {
        const model = make();
        const before = weightValues(model).flat();
        const step = ohemStep(model, options({loss, select}));
        const {xs, ys} = batch(6, 2);
        const kind = isRight ? 'logits' : 'probabilities';
        const message =
          `${name}: fromLogits must be ${isRight} for predictions that are ${kind}, got ${!isRight}. ` +
          `Build the selector with {fromLogits: ${isRight}}.`;
        const refused = () => void expect(() => step(xs, ys)).toThrow(new RangeError(message));
        expect(leftBy(() => [refused()].slice(1))).toBe(0);
        expect(weightValues(model).flat()).toEqual(before);
      }
      for (const [, select] of selectors(isRight)) {
        const {xs, ys} = batch(6, 2);
        ohemStep(make(), options({loss, select}))(xs, ys).dispose();
      }
    }
  });

  it('takes the numbers of a linear output as they are, which are no logits', () => {
    const model = sequential({layers: [dense(1, {inputShape: [4]})]});
    const {xs, ys} = batch(6, 2);
    ohemStep(model, options({loss: meanSquaredError(), select: diversified({k: 2})}))(xs, ys).dispose();
  });

  it('picks by the gradients of weighted losses, and rows of weight 0 last', () => {
    let compared = 0;
    for (let seed = 0; seed < 8; seed++) {
      const last = dense(3, {activation: 'softmax', inputShape: [4]});
      const model = sequential({layers: [last]});
      const {xs, ys} = batch(12, seed);
      const variables = last.weights.map((weight) => (weight as {read(): tf.Tensor}).read() as tf.Variable);
      const lossOf = sparseCategoricalCrossentropy();
      const gradientOf = (x: tf.Tensor, y: tf.Tensor, weight: number) => {
        const {grads} = tf.variableGrads(() => tf.sum(lossOf(y, model.apply(x) as tf.Tensor)), variables);
        return variables.flatMap(({name}) => [...(grads[name] as tf.Tensor).dataSync()].map((g) => weight * g));
      };
      const random = randomFrom(seed + 90);
      const sampleWeight = Array.from({length: 12}, (_, row) => (row % 4 === 0 ? 0 : Math.fround(4 * random())));
      const classWeight = {0: 3, 1: 0.5, 2: 1};
      const labels = [...ys.dataSync()];
      const gradients = sampleWeight.map((weight, row) => {
        const ofClass = classWeight[labels[row] as 0 | 1 | 2];
        return gradientOf(tf.slice(xs, row, 1), tf.slice(ys, row, 1), weight * ofClass);
      });
      const held = {xs: tf.slice(batch(4, seed + 30).xs, 0, 4), ys: batch(4, seed + 30).ys};
      const target = gradientOf(held.xs, held.ys, 1 / 4);
      const usable = [...gradients.keys()].filter((row) => row % 4 !== 0);
      const cases = [
        [diversified({k: 5, bias: true}), pursuedInJs(gradients, usable, 5)],
        [towards(held, {k: 9, learningRate: 0.1}), greedyInJs(gradients, target, 0.1, usable, 9)],
        [towards(held, {k: 4, learningRate: 0.1}), greedyInJs(gradients, target, 0.1, usable, 4)],
      ] as const;
      for (const [select, picks] of cases) {
        if (picks.length < 9 && picks.some(({lead}) => lead < 1e-5)) continue;
        compared++;
        const step = ohemStep(model, options({select, optimizer: tf.train.sgd(1e-9)}));
        const report = step(xs, ys, {sampleWeight, classWeight});
        expect(new Set(report.selection.indices.dataSync())).toEqual(new Set(picks.map(({row}) => row)));
        report.dispose();
        step.dispose();
      }
    }
    expect(compared).toBeGreaterThanOrEqual(14);
  });

  it('says that an error is about validation rows', () => {
    const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
    const {xs, ys} = batch(6, 1);
    const refused = (held: {xs: tf.Tensor; ys: tf.Tensor}) => {
      const step = ohemStep(model, options({select: towards(held, {k: 2, learningRate: 0.1})}));
      return expect(() => step(xs, ys));
    };
    refused({xs: tf.ones([2, 3]), ys: tf.zeros([2])}).toThrow(/^ohemStep: validation: xs must have the shape/);
    refused({xs: tf.ones([2, 4]), ys: tf.tensor1d([0, 7])}).toThrow(
      /^ohemStep: validation: sparseCategoricalCrossentropy: yTrue must .*7/,
    );
  });

  it('goes by gradients without weights where rows are ranked without them', () => {
    const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
    const {xs, ys} = batch(10, 4);
    const rowsOf = (sampleWeight: number[], rankBy: 'raw' | 'weighted') => {
      const step = ohemStep(model, options({select: diversified({k: 3}), rankBy, optimizer: tf.train.sgd(1e-9)}));
      const report = step(xs, ys, {sampleWeight});
      const rows = [...report.selection.indices.dataSync()];
      report.dispose();
      step.dispose();
      return rows;
    };
    const weights = Array.from({length: 10}, (_, row) => (row < 5 ? 0.01 : 5));
    expect(rowsOf(weights, 'raw')).toEqual(rowsOf(new Array(10).fill(1), 'weighted'));
    expect(rowsOf(weights, 'weighted').every((row) => row >= 5)).toBe(true);
  });

  it.each(['pruned', 'recompute', 'masked'] as const)('keeps the same rows by backward: %s', (strategy) => {
    const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
    const rowsBy = (backward: 'auto' | typeof strategy) => {
      const step = ohemStep(model, options({select: diversified({k: 3}), backward, optimizer: tf.train.sgd(1e-9)}));
      const {xs, ys} = batch(10, 4);
      const report = step(xs, ys);
      const rows = [...report.selection.indices.dataSync()];
      expect(report.losses.size).toBe(10);
      report.dispose();
      step.dispose();
      return rows;
    };
    expect(rowsBy(strategy)).toEqual(rowsBy('auto'));
  });

  it('ranks the rows of accumulated batches as those of one', () => {
    const whole = batch(12, 6);
    const rowsOf = (accumulate: number) => {
      const {model} = (MODELS['an activation behind it'] as (typeof MODELS)[string])();
      const together = accumulate > 1 ? {accumulate, selectOver: 'accumulated' as const} : {};
      const step = ohemStep(model, options({select: diversified({k: 5}), ...together}));
      let rows: number[] = [];
      for (let i = 0; i < accumulate; i++) {
        const size = 12 / accumulate;
        const report = step(tf.slice(whole.xs, i * size, size), tf.slice(whole.ys, i * size, size));
        rows = [...report.selection.indices.dataSync()];
        report.dispose();
      }
      step.dispose();
      return {rows, weights: weightValues(model).flat()};
    };
    const [one, three] = [rowsOf(1), rowsOf(3)];
    expect(three.rows).toEqual(one.rows);
    expectClose(three.weights, one.weights, NEAR);
    const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
    const each = ohemStep(model, options({select: diversified({k: 2}), accumulate: 2}));
    for (let i = 0; i < 2; i++) each(...(Object.values(batch(6, i)) as [tf.Tensor, tf.Tensor])).dispose();
    each.dispose();
  });

  it('goes by the elements of rows, if the last layer takes each by itself', () => {
    const last = dense(3, {activation: 'softmax', inputShape: [5, 4]});
    const model = sequential({layers: [last]});
    const seen: number[][] = [];
    const step = ohemStep(model, options({select: noting(seen, ({features}) => features), granularity: 'element'}));
    const xs = tf.randomNormal([2, 5, 4], 0, 1, 'float32', 1);
    step(xs, tf.zeros([2, 5])).dispose();
    expect(seen).toEqual([[...xs.dataSync()]]);
    const picking = ohemStep(model, options({select: diversified({k: 3}), granularity: 'element'}));
    const report = picking(xs, tf.zeros([2, 5]));
    expect([report.losses.size, report.selection.indices.size]).toEqual([10, 3]);
    report.dispose();
  });

  it('leaves rows out that are not finite, and picks among the others', () => {
    const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
    const {xs, ys} = batch(6, 2);
    const spoilt = tf.tensor2d(
      [...xs.dataSync()].map((x, i) => (Math.floor(i / 4) === 2 ? Number.NaN : x)),
      [6, 4],
    );
    const step = ohemStep(model, options({select: diversified({k: 4})}));
    const report = step(spoilt, ys);
    const rows = [...report.selection.indices.dataSync()];
    expect(rows).toHaveLength(4);
    expect(rows).not.toContain(2);
    report.dispose();
    expect(weightValues(model).flat().every(Number.isFinite)).toBe(true);
  });

  it('is kept by what wraps the selector', () => {
    const wrapped = [
      mapSelector(diversified({k: 3}), (selection) => selection),
      scored(diversified({k: 3}), (losses) => losses),
      scheduled(({ratio}) => diversified({ratio}), linear({from: 1, to: 0.5, steps: 10})),
    ];
    for (const select of wrapped) {
      expect(select.needs).toEqual(['features']);
      const {model} = (MODELS['one dense layer'] as (typeof MODELS)[string])();
      const {xs, ys} = batch(6, 2);
      ohemStep(model, options({select}))(xs, ys).dispose();
    }
    const validation = batch(3, 1);
    const towardsIt = towards(validation, {k: 1, learningRate: 0.1});
    expect(mapSelector(towardsIt, (selection) => selection).validation).toBe(validation);
  });

  it('leaks nothing, also when the model is refused in the middle of a step', () => {
    const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
    const validation = batch(3, 9);
    const step = ohemStep(model, options({select: towards(validation, {k: 2, learningRate: 0.1})}));
    const {xs, ys} = batch(6, 2);
    for (let t = 0; t < 4; t++) step(xs, ys).dispose();
    const taken = () => {
      step(xs, ys).dispose();
      return [];
    };
    expect(leftBy(taken)).toBe(0);
    const shared = dense(4, {inputShape: [4]});
    const input = layers.inputLayer({inputShape: [4]}).output as SymbolicTensor;
    const twice = functional({inputs: input, outputs: shared.apply(shared.apply(input)) as SymbolicTensor});
    const refusing = ohemStep(twice, options({select: diversified({k: 2})}));
    const refused = () => {
      expect(() => refusing(xs, ys)).toThrow(/^ohemStep: model must call dense_\w+ once in a pass, got 2 calls\.$/);
      return [];
    };
    expect(leftBy(refused)).toBe(0);
  });

  it('trains through fitOhem, with validation rows and without', async () => {
    const {xs, ys} = batch(30, 8);
    const validation = batch(6, 7);
    for (const select of [diversified({ratio: 0.3}), towards(validation, {ratio: 0.3, learningRate: 0.1})]) {
      const {model} = (MODELS['two dense layers'] as (typeof MODELS)[string])();
      const before = weightValues(model).flat();
      const {history} = await fitOhem(model, xs, ys, {
        ...options({select}),
        epochs: 3,
        batchSize: 10,
        verbose: 0,
        seed: 1,
      });
      expect(history.kept).toEqual([9, 9, 9]);
      expect(weightValues(model).flat()).not.toEqual(before);
    }
  });
});

describeOnBackends('A step whose selector has validation rows', (backend) => {
  trainsOn(backend);
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  it('runs them forward by the weights of now, in inference mode, and moves nothing', () => {
    const last = dense(3, {activation: 'softmax'});
    const model = sequential({layers: [layers.dropout({rate: 0.5, inputShape: [4]}), last]});
    const seen: number[][] = [];
    const validation = batch(5, 11);
    const select = Object.assign(
      noting(seen, (context) => {
        const pass = context.validation;
        expect([...(pass?.yTrue.dataSync() ?? [])]).toEqual([...validation.ys.dataSync()]);
        seen.push([...(pass?.yPred.dataSync() ?? [])]);
        return pass?.features;
      }),
      {validation},
    );
    const step = ohemStep(model, options({select}));
    for (let t = 0; t < 3; t++) {
      const predictions = valuesOf(() => model.predict(validation.xs) as tf.Tensor);
      const features = inputOf(last, model, validation.xs);
      const {xs, ys} = batch(6, t);
      step(xs, ys).dispose();
      const [found, input] = seen.slice(-2) as [number[], number[]];
      expectClose(found, predictions, NEAR);
      expectClose(input, features, NEAR);
    }
    step.dispose();
  });

  it('does not move the statistics of batch normalisation', () => {
    const after = (select: Selector) => {
      const model = sequential({
        layers: [layers.batchNormalization({inputShape: [4]}), dense(3, {activation: 'softmax'})],
      });
      const step = ohemStep(model, options({select}));
      for (let t = 0; t < 4; t++) step(...(Object.values(batch(6, t)) as [tf.Tensor, tf.Tensor])).dispose();
      step.dispose();
      return weightValues(model).flat();
    };
    const withRows = Object.assign(
      mapSelector(all(), (selection) => selection),
      {needs: ['features'] as const, validation: batch(5, 12)},
    );
    expect(after(withRows)).toEqual(after(all()));
  });

  it('continues when accumulated batches are flushed, and takes inputs by name', async () => {
    const {model} = (MODELS['a graph'] as (typeof MODELS)[string])();
    const {xs, ys} = batch(15, 3);
    const held = batch(4, 5);
    const validation = {xs: {[model.inputNames[0] as string]: held.xs}, ys: held.ys};
    const select = towards(validation, {ratio: 0.5, learningRate: 0.1});
    const args = {
      ...options({select, accumulate: 2, selectOver: 'accumulated'}),
      batchSize: 5,
      verbose: 0 as const,
      seed: 1,
    };
    const {history} = await fitOhem(model, xs, ys, args);
    expect(history.kept?.[0]).toBe(5 + 3);
  });

  it('lowers the loss of rows like them sooner than rows at random do', () => {
    const lossAfter = (select: Selector) => {
      const {model} = (MODELS['one dense layer'] as (typeof MODELS)[string])();
      const step = ohemStep(model, options({select}));
      // Rows of class 0 say what the validation rows say, the others its opposite.
      const random = randomFrom(4);
      for (let t = 0; t < 20; t++) {
        const isOpposite = Array.from({length: 10}, () => random() < 0.6);
        const xs = tf.ones([10, 4]);
        step(xs, tf.tensor1d(isOpposite.map((is) => (is ? 1 : 0)))).dispose();
      }
      step.dispose();
      return valuesOf(() =>
        sparseCategoricalCrossentropy()(tf.tensor1d([0]), model.predict(tf.ones([1, 4])) as tf.Tensor),
      )[0] as number;
    };
    const validation = {xs: tf.ones([2, 4]), ys: tf.zeros([2])};
    const guided = lossAfter(towards(validation, {k: 3, learningRate: 0.01}));
    expect(guided).toBeLessThan(0.5 * lossAfter(topK({k: 3})));
  });
});

describeOnBackends('A selector that needs features', () => {
  beforeEach(() => tf.engine().startScope());
  afterEach(() => tf.engine().endScope());

  const NEEDED = 'ohemStep: model must have one output and end in a dense layer for this selector, got';

  it('refuses models that do not end in a dense layer, when the step is built', () => {
    const refused = (model: LayersModel | object, got: string) =>
      expect(() => ohemStep(model as LayersModel, options({select: diversified({k: 2})}))).toThrow(
        new TypeError(`${NEEDED} ${got}.`),
      );
    const conv = sequential({
      layers: [layers.conv2d({filters: 2, kernelSize: 1, inputShape: [2, 2, 1], name: 'conv_1'})],
    });
    refused(conv, 'the layer conv_1 (Conv2D)');
    const flattened = sequential({layers: [dense(2, {inputShape: [2, 2]}), layers.flatten({name: 'flat'})]});
    refused(flattened, 'the layer flat (Flatten)');
    const input = layers.inputLayer({inputShape: [2]}).output as SymbolicTensor;
    const outputs = [dense(2), dense(2)].map((layer) => layer.apply(input) as SymbolicTensor);
    const both = functional({inputs: input, outputs});
    expect(() =>
      ohemStep(both, {
        loss: ['meanSquaredError', 'meanSquaredError'],
        optimizer: tf.train.sgd(1),
        select: diversified({k: 1}),
      }),
    ).toThrow(`${NEEDED} 2 outputs.`);
    const weight = tf.variable(tf.ones([4, 3]));
    refused({predict: (x: tf.Tensor2D) => tf.matMul(x, weight), variables: [weight]}, 'a function');
    weight.dispose();
  });

  it('refuses a last dense layer whose gradient is not that of p − y', () => {
    const refused = (given: ReturnType<typeof dense>[], got: string) => {
      for (const select of [diversified({k: 2}), towards(batch(3, 1), {k: 2, learningRate: 0.1})]) {
        expect(() => ohemStep(sequential({layers: given}), options({select}))).toThrow(
          new TypeError(
            'ohemStep: model must have no activation but one softmax or sigmoid from its last dense layer on, ' +
              `for this selector, got ${got}. Its gradient would not be that of p − y.`,
          ),
        );
      }
    };
    const ending = (activation?: 'tanh' | 'relu' | 'softmax' | 'sigmoid') => dense(3, {inputShape: [4], activation});
    const softmax = () => layers.activation({activation: 'softmax'}) as never;
    refused([ending('tanh'), softmax()], 'tanh, softmax');
    refused([ending('softmax'), layers.softmax() as never], 'softmax, softmax');
    refused([ending('relu')], 'relu');
    refused([ending(), layers.activation({activation: 'tanh'}) as never], 'tanh');
    for (const layersOf of [[ending(), softmax()], [ending('softmax')], [ending('sigmoid')], [ending()]]) {
      ohemStep(sequential({layers: layersOf}), options({select: diversified({k: 2})})).dispose();
    }
  });

  it('refuses labels that are mined one by one: each has a column of weights to itself', () => {
    const model = sequential({layers: [dense(3, {inputShape: [4], activation: 'sigmoid'})]});
    const build = () =>
      ohemStep(model, options({loss: binaryCrossentropy(), select: diversified({k: 2}), granularity: 'element'}));
    expect(build).toThrow(
      new TypeError(
        "ohemStep: granularity must be 'sample' for a selector that needs features, got element. " +
          'Each label of a row has weights of its own: mine rows.',
      ),
    );
  });

  it('refuses a layer with a state if there are validation rows', () => {
    const recurrentInitializer = 'glorotNormal';
    const rnn = layers.simpleRNN({
      units: 2,
      stateful: true,
      recurrentInitializer,
      batchInputShape: [2, 3, 1],
      name: 'rnn',
    });
    const model = sequential({layers: [rnn, dense(2, {activation: 'softmax'})]});
    const validation = {xs: tf.ones([2, 3, 1]), ys: tf.zeros([2])};
    const build = () => ohemStep(model, options({select: towards(validation, {k: 1, learningRate: 1})}));
    expect(build).toThrow(
      new TypeError(
        'ohemStep: model must have no layer that keeps a state for a selector with validation rows, got rnn.',
      ),
    );
  });

  it('refuses validation rows that are not of the model, and changes nothing then', () => {
    const {model} = (MODELS['one dense layer'] as (typeof MODELS)[string])();
    const before = weightValues(model).flat();
    const validation = {xs: tf.ones([2, 5]), ys: tf.zeros([2])};
    const step = ohemStep(model, options({select: towards(validation, {k: 1, learningRate: 1})}));
    const {xs, ys} = batch(4, 1);
    expect(() => step(xs, ys)).toThrow(/^ohemStep: validation: xs must have the shape/);
    expect(weightValues(model).flat()).toEqual(before);
  });

  it('is refused by ohemLoss, which does not know the model', () => {
    expect(() => ohemLoss(categoricalCrossentropy(), diversified({k: 2}))).toThrow(
      new TypeError(
        'ohemLoss: select must use only losses, truth and predictions, got one that needs features. ' +
          'Use ohemStep, which has the model.',
      ),
    );
  });
});
