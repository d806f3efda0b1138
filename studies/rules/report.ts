import type {TopLevelSpec} from 'vega-lite';
import {type Layer, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {percent} from '../../examples/mnist/report/percent';
import {textWidth} from '../../examples/mnist/report/textWidth';
import {type Theme, themeColors} from '../../examples/mnist/report/theme';
import {atOnePace} from '../kit/atOnePace';
import {PERCENT, panelWidth} from '../kit/bandPanel';
import {byArm} from '../kit/byArm';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import type {StudyReport} from '../kit/study';
import type {ArmRecord} from '../kit/trainTogether';

export interface RulesSummary {
  /** Rows forward, and rows backward of every rule that leaves some out. */
  n: number;
  k: number;
  rules: {
    name: string;
    /** Test accuracy after a number of steps. */
    afterSteps: Record<string, Estimate>;
    /** Mean of the measurements: how good the rule was on the way. */
    onTheWay: Estimate;
    /** Paired differences to as many rows at random, of what is named so above. */
    toRandom?: {afterSteps: Record<string, Estimate>; onTheWay: Estimate};
    msPerStep: Estimate;
  }[];
}

const STEPS = [50, 100, 200, 400];

export function rulesReport(records: ArmRecord[][]): StudyReport {
  const seeds = atOnePace(records);
  const rules = byArm(seeds);
  const summary = summaryOf(rules);
  return {summary, figures: {accuracy: (theme) => accuracy(summary, seeds.length, theme)}};
}

function summaryOf(rules: ArmRecord[][]): RulesSummary {
  const random = rules.find(([first]) => first?.name.startsWith('randomK')) as ArmRecord[];
  const {measuredAt, n, k} = random[0] as ArmRecord;
  const moments = measuredAt.filter((step) => STEPS.includes(step) || step === measuredAt.at(-1));
  const atMoments = (make: (place: number) => Estimate) =>
    Object.fromEntries(moments.map((step) => [step, make(measuredAt.indexOf(step))]));
  const at = (records: ArmRecord[], place: number) => records.map(({testAccuracy}) => testAccuracy[place] as number);
  const onTheWay = (records: ArmRecord[]) =>
    // Without the first, which is that of the untrained network.
    records.map(({testAccuracy: [, ...rest]}) => rest.reduce((sum, accuracy) => sum + accuracy, 0) / rest.length);
  return {
    n,
    k,
    rules: rules.map((records) => ({
      name: (records[0] as ArmRecord).name,
      afterSteps: atMoments((place) => estimate(at(records, place))),
      onTheWay: estimate(onTheWay(records)),
      ...(records !== random && {
        toRandom: {
          afterSteps: atMoments((place) => pairedDifference(at(records, place), at(random, place))),
          onTheWay: pairedDifference(onTheWay(records), onTheWay(random)),
        },
      }),
      msPerStep: estimate(records.map(({msPerStep}) => msPerStep)),
    })),
  };
}

const ROW_HEIGHT = 24;

/** One row a rule, the best on top: the mean of all measurements, with its interval. */
function accuracy({rules, n, k}: RulesSummary, seeds: number, theme: Theme): TopLevelSpec {
  const sorted = [...rules].sort((one, other) => other.onTheWay.mean - one.onTheWay.mean);
  const values = sorted.map(({name, onTheWay: {mean, margin}}) => ({
    rule: name,
    mean,
    low: mean - (margin || 0),
    high: mean + (margin || 0),
    text: percent(mean),
  }));
  const names = Math.max(...values.map(({rule}) => textWidth(rule, 11)));
  const {color} = paletteStyle(0, theme);
  const layers: Layer[] = [
    {mark: {type: 'rule', color, strokeWidth: 2, clip: true}, encoding: {x: x('low'), x2: {field: 'high'}}},
    {mark: {type: 'point', filled: true, size: 60, color, opacity: 1}, encoding: {x: x('mean')}},
    {
      mark: {type: 'text', align: 'right', dx: -10, dy: -9, color: themeColors[theme].quietInk, fontSize: 11},
      encoding: {x: x('mean'), text: {field: 'text'}},
    },
  ];
  return stackedPanels({
    theme,
    title: 'Test accuracy by rule, mean over the training',
    subtitle: [`${k} of ${n} rows count, of all() all · ${seedsSaid(seeds)}`],
    description: `Test accuracy, mean of all measurements of a run, for each rule: ${values.map(({rule, text}) => `${rule} ${text}`).join('; ')}.`,
    spacing: 22,
    panels: [
      {
        width: Math.floor(panelWidth(WIDE) + 40 - names),
        height: ROW_HEIGHT * values.length,
        data: {values},
        encoding: {
          y: {
            field: 'rule',
            type: 'nominal',
            title: null,
            sort: values.map(({rule}) => rule),
            axis: {labelLimit: 400, labelColor: themeColors[theme].ink},
          },
        },
        layer: layers,
      },
    ],
  });
}

const x = (field: string) => ({
  field,
  type: 'quantitative' as const,
  title: 'Test accuracy',
  scale: {zero: false},
  axis: {labelExpr: PERCENT, tickCount: 6},
});
