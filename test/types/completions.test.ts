/** @file What an editor offers while a call is written. */
import ts from 'typescript';
import {describe, expect, it} from 'vitest';
import {ROOT} from '../support/sources';

const FILE = `${ROOT}test/types/written.ts`;
const HEAD = `
import type {Tensor} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {checkGradients, cosine, fitOhem, fromLayersLoss, ohemStep, perSampleLosses} from 'ohem-tfjs';
declare const model: LayersModel;
declare const x: Tensor;
`;

/** An editor with one file open, in this project. */
function editor() {
  const {config} = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile);
  const {options} = ts.parseJsonConfigFileContent({...config, include: [], files: []}, ts.sys, ROOT);
  let [text, version] = ['', 0];
  const service = ts.createLanguageService({
    getScriptFileNames: () => [FILE],
    getScriptVersion: (path) => (path === FILE ? String(version) : '0'),
    getScriptSnapshot: (path) => {
      const content = path === FILE ? text : ts.sys.readFile(path);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => ROOT,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (path) => path === FILE || ts.sys.fileExists(path),
    readFile: ts.sys.readFile,
  });
  /** The names that are offered at the | of a call. */
  return (call: string): string[] => {
    const cursor = HEAD.length + call.indexOf('|');
    [text, version] = [HEAD + call.replace('|', ''), version + 1];
    return (service.getCompletionsAtPosition(FILE, cursor, {})?.entries ?? []).map(({name}) => name).sort();
  };
}

const LOSSES = [
  ...['binaryCrossentropy', 'categoricalCrossentropy', 'categoricalHinge', 'cosineProximity', 'hinge'],
  ...['kullbackLeiblerDivergence', 'logcosh', 'meanAbsoluteError', 'meanAbsolutePercentageError', 'meanSquaredError'],
  ...['meanSquaredLogarithmicError', 'poisson', 'sparseCategoricalCrossentropy', 'squaredHinge'],
];

const STEP = [
  ...['backward', 'clipNorm', 'granularity', 'loss', 'lossWeights', 'optimizer', 'rankBy', 'reduction', 'select'],
];

describe('An editor', () => {
  const offered = editor();

  it.each([
    "ohemStep(model, {loss: '|'})",
    "ohemStep(model, {loss: ['|']})",
    "ohemStep(model, {loss: {output: '|'}})",
    "fitOhem(model, x, x, {loss: '|'})",
    "perSampleLosses(model, x, x, {loss: '|'})",
    "fromLayersLoss('|')",
  ])('offers the names of the losses: %s', (call) => {
    expect(offered(call)).toEqual(expect.arrayContaining(LOSSES));
  });

  it.each([
    ['ohemStep(model, {|})', STEP],
    ['checkGradients(model, x, x, {|})', [...STEP, 'backend', 'batch', 'tolerance']],
    ['fitOhem(model, x, x, {|})', [...STEP, 'batchSize', 'epochs', 'validationData', 'validationSplit', 'verbose']],
    ['cosine({|})', ['from', 'to', 'warmup']],
    ["ohemStep(model, {reduction: '|'})", ['batchMean', 'mean', 'sum']],
    ["ohemStep(model, {backward: '|'})", ['auto', 'masked', 'pruned', 'recompute']],
    ["ohemStep(model, {optimizer: '|'})", ['adadelta', 'adagrad', 'adam', 'adamax', 'rmsprop', 'sgd']],
  ])('offers the options and what they may be: %s', (call, names) => {
    expect(offered(call)).toEqual(expect.arrayContaining(names));
  });

  it('offers what is not there to no one', () => {
    expect(offered("ohemStep(model, {loss: '|'})")).not.toContain('focalLoss');
  });
});
