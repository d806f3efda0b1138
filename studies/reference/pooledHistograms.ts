import type {Results, RunResult} from '../../examples/mnist/experiment/results';
import type {StudySettings} from '../kit/study';
import type {ArmRecord} from '../kit/trainTogether';
import {armSeeds, mined} from './armSeeds';

/** The histograms of all seeds together, in the form that figure 2 of the example takes. */
export function pooledHistograms(records: ArmRecord[][], {steps, learningRate}: StudySettings): Results {
  const runs = mined(armSeeds(records, 'light')).map(({arm, seeds}): RunResult => {
    const {name, n, k, rule, measuredAt, msPerStep} = arm;
    const histograms = (arm.histograms ?? []).map(({step}, place) => {
      const ofSeeds = seeds.flatMap(({histograms: ofSeed = []}) => ofSeed[place] ?? []);
      return {
        step,
        batch: sumOf(ofSeeds.map(({batch}) => batch)),
        selected: sumOf(ofSeeds.map(({selected}) => selected)),
      };
    });
    const noCurves = {selectedLoss: [], batchLoss: [], testAccuracy: []};
    return {name, n, k, rule, histograms, steps: measuredAt, msPerStep, ...noCurves};
  });
  return {
    settings: {steps, learningRate: Number(learningRate), seed: 1, backend: 'wasm', runs: runs.map(({name}) => name)},
    data: {source: 'folder', description: 'MNIST', trainCount: 60_000, testCount: 10_000},
    versions: {ohem: '', tfjs: '', node: ''},
    runs,
  };
}

const sumOf = (lists: number[][]) =>
  (lists[0] ?? []).map((_, bin) => lists.reduce((total, list) => total + (list[bin] as number), 0));
