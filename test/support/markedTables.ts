import {floorsOfSteps} from './floorsTable';
import {hurtsTables} from './hurtsTables';
import type {MarkedTable} from './markedTable';
import {noiseRules} from './noiseRulesTable';
import {markdownTable} from './resultTables';
import {shapesOfRuns} from './shapesTable';
import {markedTables as studyTables} from './studyTables';
import {tunedTables} from './tunedTables';
import {whatMiningBuys} from './whatMiningBuys';

/** All tables of documents that are made from the results of studies. */
export const markedTables = (): MarkedTable[] => [
  {document: 'docs/results.md', name: 'what mining buys', table: markdownTable(whatMiningBuys())},
  {document: 'docs/choosing-k.md', name: 'shapes', table: markdownTable(shapesOfRuns())},
  {document: 'docs/finding-label-errors.md', name: 'noise rules', table: markdownTable(noiseRules())},
  {document: 'docs/results.md', name: 'floors', table: markdownTable(floorsOfSteps())},
  ...studyTables(),
  ...tunedTables(),
  ...hurtsTables(),
];
