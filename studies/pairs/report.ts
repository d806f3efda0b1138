import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT, panelWidth} from '../kit/bandPanel';
import {bandOf} from '../kit/bands';
import {byArm} from '../kit/byArm';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import type {StudyReport} from '../kit/study';
import type {PairsRecord} from './record';

export interface PairsSummary {
  arms: {
    digits: string;
    name: string;
    /** Before the first step, and after the last. */
    recallAt1: {before: Estimate; after: Estimate};
    meanAveragePrecisionAtR: {before: Estimate; after: Estimate};
    /** Mean distance of two test digits after the last step, by that before the first. */
    spread: Estimate;
    /** Of the last step. */
    loss: Estimate;
    /** The step at which each seed was warned of a collapse; null if it was not. */
    collapsedAt: (number | null)[];
    /** Recall@1 less that of random triplets, seed by seed. */
    recallToRandom: Estimate;
  }[];
}

const lastOf = (numbers: readonly number[]) => numbers.at(-1) as number;
const firstOf = (numbers: readonly number[]) => numbers[0] as number;

export function pairsReport(seeds: PairsRecord[][]): StudyReport {
  const arms = byArm(seeds);
  return {summary: summaryOf(arms), figures: {recall: (theme) => recall(arms, theme)}};
}

function summaryOf(arms: PairsRecord[][]): PairsSummary {
  return {
    arms: arms.map((records) => {
      const {digits, name} = records[0] as PairsRecord;
      const random = arms.find(([first]) => first?.digits === digits) as PairsRecord[];
      const around = (curve: (record: PairsRecord) => number[]) => ({
        before: estimate(records.map((record) => firstOf(curve(record)))),
        after: estimate(records.map((record) => lastOf(curve(record)))),
      });
      const recallOf = (ofSeeds: PairsRecord[]) => ofSeeds.map(({recallAt1}) => lastOf(recallAt1));
      return {
        digits,
        name,
        recallAt1: around(({recallAt1}) => recallAt1),
        meanAveragePrecisionAtR: around((record) => record.meanAveragePrecisionAtR),
        spread: estimate(records.map(({spread}) => lastOf(spread) / firstOf(spread))),
        loss: estimate(records.map(({loss}) => lastOf(loss))),
        collapsedAt: records.map(({collapsedAt}) => collapsedAt ?? null),
        recallToRandom: pairedDifference(recallOf(records), recallOf(random)),
      };
    }),
  };
}

/** A panel for digits that were trained on and one for others. */
function recall(arms: PairsRecord[][], theme: Theme): TopLevelSpec {
  const tasks = [...new Set(arms.map(([first]) => first?.digits as string))];
  const seeds = arms[0]?.length as number;
  const last = Math.max(...arms.flat().map(({measuredAt}) => lastOf(measuredAt)));
  return stackedPanels({
    theme,
    title: 'Recall@1 of embeddings of digits, by miner',
    subtitle: [`test digits · ${seedsSaid(seeds)}`],
    description: 'Share of test digits whose nearest neighbour is of their class, over steps; a line for each miner.',
    spacing: 22,
    panels: tasks.map((digits, index) => {
      const shown = arms.filter(([first]) => first?.digits === digits);
      const curves = shown.flatMap((records) => records.flatMap(({recallAt1}) => recallAt1));
      return bandPanel({
        theme,
        title: digits,
        series: shown.map((records, arm) => ({
          label: (records[0] as PairsRecord).name,
          style: paletteStyle([3, 0, 1, 2][arm] as number, theme),
          points: bandOf(
            (records[0] as PairsRecord).measuredAt,
            records.map(({recallAt1}) => recallAt1),
          ),
        })),
        x: {...(index === tasks.length - 1 && {title: 'Steps'}), from: 0, to: last, labels: COUNT},
        y: {from: Math.floor(Math.min(...curves) * 20) / 20, to: 1, labels: PERCENT},
        width: panelWidth(WIDE),
        height: 190,
      });
    }),
  });
}
