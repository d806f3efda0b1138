/** @file The table of rules for wrong labels in docs/finding-label-errors.md. */
import type {NoiseSummary} from '../../studies/noise/report';
import {keysOf, percent, resultsOf} from './studyTables';

/** Accuracy by the epoch, and what a rule keeps in its last one. */
export function noiseRules(): string[][] {
  const {results} = resultsOf<NoiseSummary>('noise-rules');
  const epochs = keysOf(results[0]?.afterEpochs);
  const last = epochs.at(-1) as string;
  return [
    ['selector', ...epochs.map((epoch) => `${epoch} epochs`), 'wrong labels among the kept'],
    ...results.map(({rule, afterEpochs, wrongAmongKept}) => [
      `\`${rule}\``,
      ...epochs.map((epoch) => percent(afterEpochs[epoch] as NonNullable<(typeof afterEpochs)[string]>)),
      `${(100 * (wrongAmongKept?.[last]?.mean ?? Number.NaN)).toFixed(0)} %`,
    ]),
  ];
}
