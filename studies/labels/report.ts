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
import type {DataMap} from './labelFinders';
import type {LabelsRecord} from './record';
import {OWN, type TeachingRecord} from './teaching';

export interface LabelsSummary {
  finders: {
    finder: string;
    flipped: number;
    /**
     * How many rows it names, which share of them have a wrong label, and which share of the wrong
     * labels these are.
     */
    named: Estimate;
    precision?: Estimate;
    recall: Estimate;
    seconds: Estimate;
    testAccuracy: Estimate;
    /** Less the accuracy with no row left out, seed by seed. */
    toNone: Estimate;
  }[];
  teaching: {
    name: string;
    best: Estimate;
    /** After the last epoch. */
    end: Estimate;
    /** Less that of all rows, and of a model's own easiest rows, seed by seed. */
    toAll: Estimate;
    toOwn: Estimate;
  }[];
}

export function labelsReport(seeds: LabelsRecord[]): StudyReport {
  const teaching = byArm(seeds.map((seed) => seed.teaching));
  return {
    summary: {finders: findersOf(seeds), teaching: teachingOf(teaching)} satisfies LabelsSummary,
    figures: {
      'co-teaching': (theme) => curves(teaching, theme),
      'data-map': (theme) => dataMap((seeds[0] as LabelsRecord).map, theme),
    },
  };
}

function findersOf(seeds: LabelsRecord[]): LabelsSummary['finders'] {
  const arms = byArm(seeds.map(({finders}) => finders));
  return arms.map((records) => {
    const [first] = records as [(typeof records)[number]];
    const none = arms.find(([other]) => other?.flipped === first.flipped) as typeof records;
    const of = (value: (record: typeof first) => number) => estimate(records.map(value));
    const accuracies = (ofSeeds: typeof records) => ofSeeds.map(({testAccuracy}) => testAccuracy);
    return {
      ...{finder: first.finder, flipped: first.flipped, named: of(({named}) => named)},
      ...(first.named > 0 && {precision: of(({found, named}) => found / named)}),
      recall: of(({found, wrong}) => found / wrong),
      seconds: of(({seconds}) => seconds),
      testAccuracy: estimate(accuracies(records)),
      toNone: pairedDifference(accuracies(records), accuracies(none)),
    };
  });
}

const lastOf = (numbers: readonly number[]) => numbers.at(-1) as number;

function teachingOf(arms: TeachingRecord[][]): LabelsSummary['teaching'] {
  const ends = (records: TeachingRecord[]) => records.map(({testAccuracy}) => lastOf(testAccuracy));
  const own = arms.find(([first]) => first?.name === OWN) as TeachingRecord[];
  return arms.map((records) => ({
    name: (records[0] as TeachingRecord).name,
    best: estimate(records.map(({testAccuracy}) => Math.max(...testAccuracy))),
    end: estimate(ends(records)),
    toAll: pairedDifference(ends(records), ends(arms[0] as TeachingRecord[])),
    toOwn: pairedDifference(ends(records), ends(own)),
  }));
}

function curves(arms: TeachingRecord[][], theme: Theme): TopLevelSpec {
  const [first] = arms as [TeachingRecord[]];
  const {measuredAt} = first[0] as TeachingRecord;
  return stackedPanels({
    theme,
    title: 'Test accuracy with half of the labels wrong',
    subtitle: [seedsSaid(first.length)],
    description:
      'Test accuracy over the epochs for all rows, the own easiest rows, and those that another model finds easy.',
    spacing: 18,
    panels: [
      bandPanel({
        theme,
        title: '784-256-10, batches of 128',
        series: arms.map((records, arm) => ({
          label: (records[0] as TeachingRecord).name,
          style: paletteStyle([3, 0, 1][arm] as number, theme),
          points: bandOf(
            measuredAt,
            records.map(({testAccuracy}) => testAccuracy),
          ),
        })),
        x: {title: 'Epoch', from: 1, to: Math.max(2, lastOf(measuredAt)), labels: COUNT},
        y: {from: 0.6, to: 0.9, labels: PERCENT},
        width: panelWidth(WIDE),
      }),
    ],
  });
}

/**
 * A point for each row: how sure a model was of its label over the epochs, and how much that
 * changed.
 */
function dataMap({confidence, variability, isWrong}: DataMap, theme: Theme): TopLevelSpec {
  const kinds = [
    {name: 'right label', style: paletteStyle(0, theme), isOf: false, shape: 'circle'},
    {name: 'wrong label', style: paletteStyle(1, theme), isOf: true, shape: 'cross'},
  ];
  const values = confidence.map((mean, row) => ({
    ...{confidence: mean, variability: variability[row], label: kinds[isWrong[row] ? 1 : 0]?.name},
  }));
  const domain = kinds.map(({name}) => name);
  return stackedPanels({
    theme,
    title: 'A data map of MNIST',
    subtitle: [`the first ${confidence.length} rows, a tenth of them with a wrong label · one seed`],
    description:
      'Each row by the spread and the mean of the probability of its label over the epochs: rows with a wrong label lie at the bottom.',
    spacing: 18,
    panels: [
      {
        width: panelWidth(WIDE) - 90,
        height: 320,
        data: {values},
        mark: {type: 'point', filled: true, size: 26, opacity: 0.7},
        encoding: {
          x: {
            ...{field: 'variability', type: 'quantitative', title: 'Variability: standard deviation of p of the label'},
            scale: {domain: [0, 0.5]},
          },
          y: {
            ...{field: 'confidence', type: 'quantitative', title: 'Confidence: mean of p of the label'},
            scale: {domain: [0, 1]},
          },
          color: {
            ...{field: 'label', type: 'nominal', title: null},
            scale: {domain, range: kinds.map(({style}) => style.color)},
          },
          shape: {field: 'label', type: 'nominal', title: null, scale: {domain, range: kinds.map(({shape}) => shape)}},
        },
      },
    ],
  });
}
