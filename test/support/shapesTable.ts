/** @file The table of docs/choosing-k.md, from the histograms of the reference study. */
import {existsSync} from 'node:fs';
import type {SeedFile} from '../../studies/command/seedFile';
import type {ArmRecord} from '../../studies/kit/trainTogether';
import {pooledHistograms} from '../../studies/reference/pooledHistograms';
import type {ReferenceArm, ReferenceSummary} from '../../studies/reference/summary';
import {ROOT, readSource} from './sources';
import {resultsOf} from './studyTables';

const LOOKED_AT = 300;

/** Where the losses of all seeds lie, of the whole batch and of the selected rows. */
export function shapesOfRuns(): string[][] {
  const files: SeedFile<ArmRecord[]>[] = [];
  for (let seed = 1; existsSync(`${ROOT}docs/results/reference/seed-${seed}.json`); seed++) {
    files.push(JSON.parse(readSource(`docs/results/reference/seed-${seed}.json`).text));
  }
  const {settings} = files[0] as SeedFile;
  const {runs} = pooledHistograms(
    files.map(({content}) => content),
    settings,
  );
  const {arms} = resultsOf<ReferenceSummary>('reference');
  return [
    ['run', 'whole batch', 'selected rows', 'worst loss of accuracy', 'time per step'],
    ...runs.map(({name, histograms}) => {
      const {batch, selected} = histograms.find(({step}) => step === LOOKED_AT) as (typeof histograms)[number];
      const {worstFall, msPerStep} = arms.find((arm) => arm.name === name) as ReferenceArm;
      return [
        name,
        middleOf(batch),
        middleOf(selected),
        `${(100 * worstFall.mean).toFixed(1)} points`,
        `${msPerStep.mean.toFixed(0)} ms`,
      ];
    }),
  ];
}

/**
 * Where the losses lie without the smallest and the largest tenth: from the lower edge of a part of
 * [0, 1] to the upper edge of one.
 */
function middleOf(counts: number[]): string {
  const rows = counts.reduce((sum, count) => sum + count, 0);
  const upTo = counts.map((_, part) => counts.slice(0, part + 1).reduce((sum, count) => sum + count, 0));
  const partOf = (share: number) => upTo.findIndex((count) => count >= share * rows);
  return `${(partOf(0.1) / counts.length).toFixed(2)} to ${((partOf(0.9) + 1) / counts.length).toFixed(2)}`;
}
