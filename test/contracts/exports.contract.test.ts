/** @file What holds for everything that is exported. */
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import * as index from 'ohem-tfjs';
import * as losses from 'ohem-tfjs/losses';
import * as node from 'ohem-tfjs/node';
import * as selectors from 'ohem-tfjs/selectors';
import * as trainers from 'ohem-tfjs/trainers';
import * as wasm from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {documentedFunctions, exportedNames, readSource, sourcesIn} from '../support/sources';

const PARTS = {losses, selectors, trainers};
const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

describe('ohem-tfjs', () => {
  it('exports what its parts export, and nothing else', () => {
    const ofParts = Object.values(PARTS).flatMap((part) => Object.entries(part));
    expect(sorted(Object.keys(index))).toEqual(sorted(ofParts.map(([name]) => name)));
    for (const [name, value] of ofParts) expect((index as Record<string, unknown>)[name]).toBe(value);
  });

  it('exports the types of its parts too', () => {
    const ofParts = Object.keys(PARTS).flatMap((part) => exportedNames(readSource(`src/${part}/index.ts`)));
    expect(sorted(exportedNames(readSource('src/index.ts')))).toEqual(sorted(ofParts));
  });

  it('exports functions only, under the names that they have', () => {
    for (const [name, value] of [index, wasm, node].flatMap(Object.entries)) {
      expect([name, typeof value, value.name]).toEqual([name, 'function', name]);
    }
  });

  it('keeps what needs Node to its own entry point, under the names of its like', () => {
    expect(Object.keys(node).sort()).toEqual(['resumeTraining', 'saveTraining']);
    const needsNode = /from 'node:/;
    const others = sourcesIn('src', '.ts').filter(({path}) => !path.startsWith('src/node/'));
    expect(others.filter(({text}) => needsNode.test(text) || text.includes("'./node'"))).toEqual([]);
  });

  it('does not run what only the wasm entry point is for', () => {
    expect(Object.keys(wasm)).toEqual(['enableWasmTraining']);
    for (const name of Object.keys(wasm)) expect(index).not.toHaveProperty(name);
  });
});

describe('The doc comment of every exported function', () => {
  const documented = new Map(sourcesIn('src', '.ts').flatMap((source) => [...documentedFunctions(source)]));

  it.each(Object.keys({...index, ...wasm, ...node}))(
    'of %s has an example, and says what comes back and what is thrown',
    (name) => {
      const tags = documented.get(name) ?? [];
      expect(tags).toContain('example');
      expect(tags).toContain('returns');
      expect(tags).toContain('throws');
    },
  );
});

/** What a user may get wrong in options, as the types would not let it pass. */
const wrong = (value: unknown) => value as never;
const model = () => tfl.sequential({layers: [tfl.layers.dense({units: 2, inputShape: [3]})]});
const step = (options: object) => () =>
  index.ohemStep(model(), {loss: index.meanSquaredError(), optimizer: tf.train.sgd(0.1), ...options});

/** The call, the call itself, its error, and in whose name that is, if not in that of what was called. */
const WRONG_CALLS: readonly (readonly [string, () => unknown, ErrorConstructor, string?])[] = [
  ['topK()', () => index.topK(wrong(undefined)), TypeError],
  ['topK({})', () => index.topK(wrong({})), TypeError],
  ['topK({k: 0})', () => index.topK({k: 0}), RangeError],
  ["topK({k: '3'})", () => index.topK(wrong({k: '3'})), RangeError],
  ['topK({k: 3, ratio: 0.5})', () => index.topK(wrong({k: 3, ratio: 0.5})), TypeError],
  ['topK({ratio: 2})', () => index.topK({ratio: 2}), RangeError],
  ['topK({ratio: 0.5, minK: 0})', () => index.topK({ratio: 0.5, minK: 0}), RangeError],
  ['randomK()', () => index.randomK(wrong(undefined)), TypeError],
  ['randomK({})', () => index.randomK(wrong({})), TypeError],
  ['randomK({k: -1})', () => index.randomK({k: -1}), RangeError],
  [
    'categoricalCrossentropy({labelSmoothing: 1})',
    () => index.categoricalCrossentropy({labelSmoothing: 1}),
    RangeError,
  ],
  [
    'categoricalCrossentropy({classWeights: [-1]})',
    () => index.categoricalCrossentropy({classWeights: [-1]}),
    RangeError,
  ],
  [
    'sparseCategoricalCrossentropy({ignoreLabel: 0.5})',
    () => index.sparseCategoricalCrossentropy({ignoreLabel: 0.5}),
    RangeError,
  ],
  [
    'sparseCategoricalCrossentropy({classWeights: [NaN]})',
    () => index.sparseCategoricalCrossentropy({classWeights: [Number.NaN]}),
    RangeError,
  ],
  ['binaryCrossentropy({labelSmoothing: -1})', () => index.binaryCrossentropy({labelSmoothing: -1}), RangeError],
  ["fromLayersLoss('nothing')", () => index.fromLayersLoss('nothing'), TypeError],
  ['fromLayersLoss()', () => index.fromLayersLoss(wrong(undefined)), TypeError],
  ['ohemLoss()', () => index.ohemLoss(wrong(undefined)), TypeError],
  ["ohemLoss('mse')", () => index.ohemLoss(wrong('mse')), TypeError],
  ['ohemLoss(loss, {k: 3})', () => index.ohemLoss(index.meanSquaredError(), wrong({k: 3})), TypeError],
  [
    "ohemLoss(loss, select, {reduction: 'max'})",
    () => index.ohemLoss(index.meanSquaredError(), index.all(), wrong({reduction: 'max'})),
    RangeError,
  ],
  ['ohemStep()', () => index.ohemStep(wrong(undefined)), TypeError],
  ['ohemStep(model) that is not compiled', () => index.ohemStep(model()), TypeError],
  ["ohemStep(model, {loss: 'nothing'})", step({loss: 'nothing'}), TypeError, 'fromLayersLoss'],
  ['ohemStep(model, {loss: 3})', step({loss: 3}), TypeError],
  ['ohemStep(model, {select: {k: 3}})', step({select: {k: 3}}), TypeError],
  ["ohemStep(model, {optimizer: 'sgd'})", step({optimizer: 'sgd'}), TypeError],
  ["ohemStep(model, {reduction: 'max'})", step({reduction: 'max'}), RangeError],
  ["ohemStep(model, {rankBy: 'size'})", step({rankBy: 'size'}), RangeError],
  ["ohemStep(model, {backward: 'fast'})", step({backward: 'fast'}), RangeError],
  ['ohemStep(model, {clipNorm: 0})', step({clipNorm: 0}), RangeError],
  ['ohemStep(model, {lossWeights: [-1]})', step({lossWeights: [-1]}), RangeError],
];

const state = {epoch: 0, batch: 0, step: 0, seed: 0, totals: {rows: 0, sums: {}}, keptOf: {}};
const data = () => [tf.ones([4, 3]), tf.ones([4, 2])] as const;
const compiled = () => {
  const built = model();
  built.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  return built;
};

/** The same for what returns a promise. */
const WRONG_ASYNC_CALLS: readonly (readonly [string, () => Promise<unknown>, ErrorConstructor])[] = [
  ['fitOhem()', () => index.fitOhem(wrong(undefined), ...data()), TypeError],
  ['fitOhem(model, [1])', () => index.fitOhem(compiled(), wrong([1]), data()[1]), TypeError],
  ['fitOhem(model, x, y, {epochs: 0})', () => index.fitOhem(compiled(), ...data(), {epochs: 0}), RangeError],
  ['fitOhem(model, x, y, {epoch: 2})', () => index.fitOhem(compiled(), ...data(), wrong({epoch: 2})), TypeError],
  ['fitOhemDataset()', () => index.fitOhemDataset(wrong(undefined), []), TypeError],
  ['fitOhemDataset(model)', () => index.fitOhemDataset(compiled(), wrong(undefined)), TypeError],
  [
    'fitOhemDataset(model, dataset, {batchesPerEpoch: 0})',
    () => index.fitOhemDataset(compiled(), [], {batchesPerEpoch: 0}),
    RangeError,
  ],
  ["saveTraining('nowhere')", () => index.saveTraining('nowhere', compiled(), state), TypeError],
  ['saveTraining(target, model)', () => index.saveTraining({save: wrong(tf.ones)}, compiled(), wrong({})), TypeError],
  ["saveTraining('' of node)", () => node.saveTraining('', compiled(), state), TypeError],
  ["resumeTraining('nowhere')", () => index.resumeTraining('nowhere', compiled()), TypeError],
  ['resumeTraining(target)', () => index.resumeTraining({load: async () => ({})}, compiled()), TypeError],
  ["resumeTraining('' of node)", () => node.resumeTraining('', compiled()), TypeError],
];

const functionOf = (call: string) => call.slice(0, call.indexOf('('));

describeOnBackends('A wrong call', () => {
  for (const [call, f, kind, name = functionOf(call)] of WRONG_CALLS) {
    it(`names function, argument, constraint and value: ${call}`, () => {
      expect(f).toThrow(kind);
      expect(f).toThrow(new RegExp(`^${name}: .+ must .+, got .+\\.`));
    });
  }

  for (const [call, f, kind] of WRONG_ASYNC_CALLS) {
    it(`rejects with function, argument, constraint and value: ${call}`, async () => {
      await expect(f()).rejects.toThrow(kind);
      await expect(f()).rejects.toThrow(new RegExp(`^${functionOf(call)}: .+ must .+, got .+\\.`));
    });
  }

  it('is in the table for every exported function that takes options', () => {
    const called = [...WRONG_CALLS, ...WRONG_ASYNC_CALLS].map(([call]) => functionOf(call));
    const withoutOptions = ['all', 'halfSquaredError', 'meanSquaredError'];
    expect(sorted([...called, ...withoutOptions])).toEqual(sorted(Object.keys(index)));
  });
});
