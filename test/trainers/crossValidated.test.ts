import {
  add,
  cast,
  concat,
  memory,
  mul,
  oneHot,
  ones,
  onesLike,
  randomNormal,
  reshape,
  slice,
  softmax,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tensor2d,
  tidy,
  train,
  variable,
} from '@tensorflow/tfjs-core';
import {initializers, layers, sequential} from '@tensorflow/tfjs-layers';
import {crossValidated, fitOhem, labelIssues, sparseCategoricalCrossentropy} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';

const ROWS = 30;
const LABELS = Array.from({length: ROWS}, (_, row) => row % 3);
/** Three clouds of points, far from one another. */
const data = () =>
  tidy(() => add(mul(oneHot(tensor1d(LABELS, 'int32'), 3), 4), randomNormal([ROWS, 3], 0, 0.3, 'float32', 5)));
const fit = {loss: 'sparseCategoricalCrossentropy', optimizer: 'adam', epochs: 2, batchSize: 8} as const;
const build = (units = 3, activation: 'softmax' | 'linear' | 'sigmoid' = 'softmax') =>
  sequential({
    layers: [
      layers.dense({units, activation, inputShape: [3], kernelInitializer: initializers.glorotNormal({seed: 3})}),
    ],
  });

/**
 * A model that predicts how often it has seen each row in training: what is not 0 was not held out.
 */
function counting(rows: number) {
  const [seen, weight] = [variable(tensor1d(new Array(rows).fill(0))), variable(ones([1]))];
  const predict = (xs: Tensor, training: boolean) =>
    tidy(() => {
      const marks = oneHot(cast(reshape(xs, [xs.size]), 'int32'), rows);
      if (training) seen.assign(add(seen, sum(marks, 0)));
      const times = sum(mul(marks, seen), 1, true);
      return concat([mul(times, weight), onesLike(times)], 1);
    });
  return {predict, variables: [weight], seen};
}

describeOnBackends('crossValidated', () => {
  it('predicts each row by a model that has not seen it, and that has seen all others', async () => {
    const x = tensor2d(Array.from({length: 12}, (_, row) => [row]));
    const y = tensor1d([0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0], 'int32');
    const models: ReturnType<typeof counting>[] = [];
    const makeModel = () => {
      models.push(counting(12));
      return models.at(-1) as (typeof models)[number];
    };
    const loss = (_: Tensor, yPred: Tensor) => sum(yPred, 1);
    const probabilities = await crossValidated(makeModel, x, y, {
      ...{folds: 4, seed: 1, fit: {loss, optimizer: 'sgd', epochs: 1, batchSize: 3}},
    });
    expect([...slice(probabilities, [0, 0], [12, 1]).dataSync()]).toEqual(new Array(12).fill(0));
    const seen = models.map((model) => [...model.seen.dataSync()]);
    for (let row = 0; row < 12; row++) {
      expect(seen.map((ofFold) => Math.min(1, ofFold[row] as number)).sort()).toEqual([0, 1, 1, 1]);
    }
    // Four rows of class 1 and four folds: one in each.
    for (const ofFold of seen) expect([1, 3, 5, 7].filter((row) => ofFold[row] === 0).length).toBe(1);
  });

  it('gives what a loop over the folds gives, the same for the same seed, and leaks nothing', async () => {
    const [x, y] = [data(), tensor1d(LABELS, 'int32')];
    const before = memory().numTensors;
    const run = async (seed: number) => {
      const probabilities = await crossValidated(() => build(), x, y, {folds: 3, seed, fit});
      const values = [...probabilities.dataSync()];
      expect(probabilities.shape).toEqual([ROWS, 3]);
      probabilities.dispose();
      return values;
    };
    const first = await run(1);
    expect(memory().numTensors).toBe(before);
    expect(await run(1)).toEqual(first);
    expect(await run(2)).not.toEqual(first);
  });

  it('leads labelIssues to the wrong labels', async () => {
    const wrong = LABELS.map((label, row) => (row === 4 || row === 17 ? (label + 1) % 3 : label));
    const makeModel = () => {
      const model = build();
      model.compile({loss: fit.loss, optimizer: train.adam(0.05)});
      return model;
    };
    const y = tensor1d(wrong, 'int32');
    const longer = {epochs: 12, batchSize: 8};
    const probabilities = await crossValidated(makeModel, data(), y, {folds: 3, fit: longer});
    const {rows, suggested} = await labelIssues({labels: wrong, probabilities});
    expect([...rows].sort((a, b) => a - b)).toEqual([4, 17]);
    expect([...suggested].sort()).toEqual([LABELS[4], LABELS[17]].sort());
  });

  it('turns logits into probabilities, and a single output into two columns', async () => {
    const x = data();
    const logits = {...fit, loss: sparseCategoricalCrossentropy({fromLogits: true})};
    const y = tensor1d(LABELS, 'int32');
    const ofLogits = await crossValidated(() => build(3, 'linear'), x, y, {folds: 3, fit: logits, fromLogits: true});
    expect(sumsOf(ofLogits)).toEqual(new Array(ROWS).fill(1));
    const yes = tensor2d(LABELS.map((label) => [label === 1 ? 1 : 0]));
    const binary = {...fit, loss: 'binaryCrossentropy'} as const;
    const ofOne = await crossValidated(() => build(1, 'sigmoid'), x, yes, {folds: 3, fit: binary});
    expect([ofOne.shape, sumsOf(ofOne)]).toEqual([[ROWS, 2], new Array(ROWS).fill(1)]);
    // Labels that do not exclude one another are left as they are.
    const both = tensor2d(LABELS.map((label) => [label === 1 ? 1 : 0, 1, 0]));
    const several = await crossValidated(() => build(3, 'sigmoid'), x, both, {folds: 3, fit: binary});
    expect([several.shape, labelIssues({labels: both.arraySync() as number[][], probabilities: several})]).toEqual([
      [ROWS, 3],
      expect.any(Promise),
    ]);
  });

  it('refuses what does not fit before it trains, and frees what it has made', async () => {
    const [x, y] = [data(), tensor1d(LABELS, 'int32')];
    let built = 0;
    const makeModel = () => {
      built++;
      return build();
    };
    const refused = (options: object, labels: Tensor = y) =>
      expect(crossValidated(makeModel, x, labels, options)).rejects;
    await refused({folds: 11, fit}).toThrow(
      new RangeError(
        'crossValidated: folds must be at most 10, the rows of class 0, got 11. Otherwise some fold would ' +
          'lack the class in its training or held-out rows.',
      ),
    );
    await refused({folds: 1}).toThrow('crossValidated: folds must be an integer >= 2, got 1.');
    await refused({fit: {ledger: {}}}).toThrow(/^crossValidated: fit.ledger must be left out/);
    await refused({fit: {optimizer: {}}}).toThrow(/^crossValidated: fit.optimizer must be the name of an optimizer/);
    await refused({fit}, tensor1d(LABELS.map((label) => label / 2))).toThrow(
      'crossValidated: y must hold class numbers, integers >= 0, got 0.5 at position 1.',
    );
    expect(built).toBe(0);
    const before = memory().numTensors;
    await refused({folds: 3, fit: {...fit, epochs: 0}}).toThrow(/^crossValidated: epochs/);
    expect([built, memory().numTensors]).toEqual([1, before]);
    await expect(fitOhem(build(), x, y, {...fit, verbose: 0})).resolves.toBeDefined();
  });

  it('refuses a fromLogits that contradicts the model, before a fold is trained', async () => {
    const [x, y] = [data(), tensor1d(LABELS, 'int32')];
    const before = memory().numTensors;
    let trained = 0;
    const counted = (predict: (xs: Tensor) => Tensor) => () => ({
      predict: (xs: Tensor, training: boolean) => {
        trained += training ? 1 : 0;
        return predict(xs);
      },
      variables: [tidy(() => variable(ones([1])))],
    });
    const refused = async (makeModel: () => unknown, options: object, message: string) => {
      await expect(crossValidated(makeModel as never, x, y, {folds: 3, ...options})).rejects.toThrow(
        new RangeError(`crossValidated: ${message}`),
      );
      expect(memory().numTensors).toBe(before);
    };
    const logits = 'fromLogits must be true for a model that returns logits, got false.';
    const shares = 'fromLogits must be false for a model that returns probabilities, got true.';
    const sparse = (fromLogits: boolean) => ({...fit, loss: sparseCategoricalCrossentropy({fromLogits})});
    // By the last activation.
    await refused(() => build(3, 'linear'), {fit: sparse(true)}, logits);
    await refused(() => build(3, 'softmax'), {fit, fromLogits: true}, shares);
    // By the loss.
    await refused(
      counted((xs) => mul(xs, 2)),
      {fit: sparse(true)},
      logits,
    );
    await refused(
      counted((xs) => softmax(xs as Tensor2D)),
      {fit: sparse(false), fromLogits: true},
      shares,
    );
    // By the predictions.
    const own = {...fit, loss: (_: Tensor, yPred: Tensor) => sum(yPred, 1)};
    const noShares = (got: string) =>
      `makeModel must build a model that returns probabilities, got ${got}. ` +
      'For a model that returns logits, pass {fromLogits: true}.';
    await refused(
      counted((xs) => add(mul(xs, 0), 2)),
      {fit: own},
      noShares('2'),
    );
    await refused(
      counted((xs) => add(mul(xs, 0), 0.5)),
      {fit: own},
      noShares('a row with the sum 1.5'),
    );
    await refused(
      counted((xs) => softmax(xs as Tensor2D)),
      {fit: own, fromLogits: true},
      shares,
    );
    expect(trained).toBe(0);
  });

  it('checks inputs, labels and the seed before a model is trained', async () => {
    const [x, y] = [data(), tensor1d(LABELS, 'int32')];
    let trained = 0;
    const onTrainBegin = () => {
      trained++;
    };
    const refused = (inputs: Tensor, labels: Tensor, options: object = {}) =>
      expect(
        crossValidated(() => build(), inputs, labels, {folds: 3, fit: {...fit, callbacks: {onTrainBegin}}, ...options}),
      ).rejects;
    await refused(slice(x, 0, 28), y).toThrow(
      new TypeError('crossValidated: x must have as many rows as y, 30, got 28.'),
    );
    await refused([x, slice(x, 0, 28)] as never, y).toThrow('x must have as many rows as y, 30, got 28.');
    await refused(null as never, y).toThrow(/^crossValidated: x must be a tensor, a list of tensors or a record/);
    for (const folds of [0, 1, 2.5])
      await refused(x, y, {folds}).toThrow(/^crossValidated: folds must be an integer >= 2/);
    for (const seed of [Number.NaN, {}]) await refused(x, y, {seed}).toThrow(/^crossValidated: seed must be a finite/);
    const shifted = (by: number) =>
      tensor1d(
        LABELS.map((label) => label + by),
        'int32',
      );
    await refused(x, shifted(-1)).toThrow('y must hold class numbers, integers >= 0, got -1 at position 0.');
    const before = memory().numTensors;
    const labels = shifted(1);
    await refused(x, labels).toThrow(
      new RangeError('crossValidated: y must hold class numbers from 0 to 2, as the model, got 3.'),
    );
    labels.dispose();
    expect([trained, memory().numTensors]).toEqual([0, before]);
  });

  it('refuses a model that shares something with that of an earlier fold, and frees all that was made', async () => {
    const [x, y] = [data(), tensor1d(LABELS, 'int32')];
    const before = memory().numTensors;
    const refused = (makeModel: (fold: number) => unknown) =>
      expect(crossValidated(makeModel as never, x, y, {folds: 3, fit: {...fit, epochs: 1}})).rejects;
    await refused(() => null).toThrow(
      new TypeError('crossValidated: makeModel must return a model, got null. Pass () => tf.sequential(…).'),
    );
    const same = build();
    await refused(() => same).toThrow(
      'makeModel must build a new model for each fold, got the same one twice. Build and compile it within makeModel.',
    );
    const optimizer = train.adam(0.1);
    const compiled = () => {
      const model = build();
      model.compile({loss: fit.loss, optimizer});
      return model;
    };
    const {optimizer: _, ...rest} = fit;
    const ofShared = crossValidated(compiled, x, y, {folds: 3, fit: rest});
    await expect(ofShared).rejects.toThrow('got one that shares its optimizer or weights with another.');
    await refused((fold) => {
      if (fold === 1) throw new Error('mine');
      return build();
    }).toThrow('mine');
    expect(memory().numTensors).toBe(before);
  });
});

function sumsOf(probabilities: Tensor): number[] {
  return [...sum(probabilities, 1).dataSync()].map((sum) => Math.round(sum * 1e5) / 1e5);
}
