import type {TopLevelSpec} from 'vega-lite';
import {type Panel, stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {percent} from '../../examples/mnist/report/percent';
import {type Theme, themeColors} from '../../examples/mnist/report/theme';
import {byArm} from '../kit/byArm';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import type {StudyReport} from '../kit/study';
import {curvesFigure} from './curvesFigure';
import type {EpochsRecord} from './record';

export interface EpochsSummary {
  results: {
    rule: string;
    flipped: number;
    /** After the last epoch. */
    testError: Estimate;
    /** Paired difference to full training with as many wrong labels. */
    toFull?: Estimate;
    /** The same two for the mails that are not easily told from spam. */
    hardError?: Estimate;
    hardToFull?: Estimate;
    /** Passes and seconds, by those of full training. */
    forward: Estimate;
    backward: Estimate;
    seconds: Estimate;
  }[];
  /** Paired differences after the last epoch: the error of `rule` less that of `than`. */
  compared: {rule: string; than: string; flipped: number; difference: Estimate}[];
}

const BOTH = 'infoBatch() and topK({ratio: 0.5})';
const AT_EQUAL_COST = ['fewer epochs', 'randomSubset({ratio})'];

/** The rules that are compared with others than full training, and which. */
const COMPARED: Record<string, readonly string[]> = {
  'infoBatch()': AT_EQUAL_COST,
  'kakurenbo()': AT_EQUAL_COST,
  [BOTH]: [
    'infoBatch()',
    ...AT_EQUAL_COST,
    ...['kakurenbo()', 'earlyStopped()', 'topK({ratio: 0.5})', 'randomK({ratio: 0.5})'],
  ],
};

/** What a figure says of the data. */
export interface EpochsFigure {
  task: string;
  error: string;
}

type Cost = 'forward' | 'backward' | 'seconds';
const COSTS: readonly Cost[] = ['forward', 'backward', 'seconds'];

const lastOf = (numbers: readonly number[]) => numbers.at(-1) as number;

const errorsOf = (records: readonly EpochsRecord[]) => records.map(({testError}) => lastOf(testError));
/** Undefined where no errors of hard rows were measured. */
const hardErrorsOf = (records: readonly EpochsRecord[]): number[] | undefined =>
  records.every(({hardError}) => hardError) ? records.map(({hardError = []}) => lastOf(hardError)) : undefined;
const titleOf = (share: number) => (share === 0 ? 'no wrong labels' : `${percent(share, 0)} wrong labels`);

export function epochsReport(seeds: EpochsRecord[][], figure: EpochsFigure): StudyReport {
  const arms = byArm(seeds);
  const {results} = summaryOf(arms);
  return {
    summary: {results, compared: comparedIn(arms)} satisfies EpochsSummary,
    figures: {
      'error-and-cost': (theme) => errorAndCost(results, figure, seeds.length, theme),
      curves: (theme) => curvesFigure(arms, {...figure, theme, titleOf}),
    },
  };
}

function comparedIn(arms: EpochsRecord[][]): EpochsSummary['compared'] {
  return arms.flatMap((records) => {
    const {rule, flipped} = records[0] as EpochsRecord;
    return (COMPARED[rule] ?? []).flatMap((than) => {
      const others = arms.find(([first]) => first?.rule === than && first.flipped === flipped);
      return others ? [{rule, than, flipped, difference: pairedDifference(errorsOf(records), errorsOf(others))}] : [];
    });
  });
}

function summaryOf(arms: EpochsRecord[][]): Pick<EpochsSummary, 'results'> {
  return {
    results: arms.map((records) => {
      const {rule, flipped} = records[0] as EpochsRecord;
      const full = arms.find(([first]) => first?.flipped === flipped) as EpochsRecord[];
      const share = (cost: Cost) =>
        estimate(records.map((record, seed) => lastOf(record[cost]) / lastOf((full[seed] as EpochsRecord)[cost])));
      return {
        ...{rule, flipped, testError: estimate(errorsOf(records))},
        ...(records !== full && {toFull: pairedDifference(errorsOf(records), errorsOf(full))}),
        ...hardOf(records, full),
        ...{forward: share('forward'), backward: share('backward'), seconds: share('seconds')},
      };
    }),
  };
}

type Result = EpochsSummary['results'][number];

function hardOf(records: EpochsRecord[], full: EpochsRecord[]): Pick<Result, 'hardError' | 'hardToFull'> {
  const [own, others] = [hardErrorsOf(records), hardErrorsOf(full)];
  if (!own || !others) return {};
  return {hardError: estimate(own), ...(records !== full && {hardToFull: pairedDifference(own, others)})};
}

/** A row of panels for each share of wrong labels: what is left wrong, and what that cost. */
function errorAndCost(results: Result[], {task, error}: EpochsFigure, seeds: number, theme: Theme): TopLevelSpec {
  const shares = [...new Set(results.map(({flipped}) => flipped))];
  return stackedPanels({
    theme,
    title: `${error} on ${task}, and what it cost`,
    subtitle: [`${seedsSaid(seeds)} · passes and seconds of the processor, by those of full training`],
    description:
      `${error} of each rule after its last epoch, beside its share of the passes and of the seconds of full training, ` +
      'without and with wrong labels.',
    spacing: 26,
    panels: shares.map((share) => {
      const shown = results.filter(({flipped}) => flipped === share);
      return {
        spacing: 20,
        hconcat: [
          errorPanel(shown, titleOf(share), theme),
          costPanel(shown, ['forward', 'backward'], 'passes', theme),
          costPanel(shown, ['seconds'], 'seconds', theme),
        ],
      };
    }),
  });
}

/** Shares as percentages, of errors that differ little. */
const PERCENT_2 = "format(datum.value * 100, '.2f') + ' %'";

/** Pixels of a rule's row, and for the names of the rules. */
const [ROW, NAMES] = [20, 200];
const width = (columns: number) => Math.floor((WIDE - NAMES - 90) / columns);

const rulesAxis = (results: Result[], hasNames: boolean) => ({
  field: 'rule',
  type: 'nominal' as const,
  title: null,
  sort: results.map(({rule}) => rule),
  axis: {labels: hasNames, labelLimit: NAMES, grid: true},
});

function errorPanel(results: Result[], title: string, theme: Theme): Panel {
  const reach = ({mean, margin}: Estimate) => (Number.isNaN(margin) ? 0 : Math.min(margin, mean));
  const values = results.map(({rule, testError}) => ({
    rule,
    error: testError.mean,
    low: testError.mean - reach(testError),
    high: testError.mean + reach(testError),
  }));
  const axis = {tickCount: 4, labelExpr: PERCENT_2};
  const x = (field: string) => ({field, type: 'quantitative' as const, title: 'error', scale: {zero: false}, axis});
  const {color} = paletteStyle(1, theme);
  return {
    ...{width: width(2), height: ROW * results.length, title, data: {values}},
    encoding: {y: rulesAxis(results, true)},
    layer: [
      {mark: {type: 'rule', color, strokeWidth: 2}, encoding: {x: x('low'), x2: {field: 'high'}}},
      {mark: {type: 'point', filled: true, color, size: 55, opacity: 1}, encoding: {x: x('error')}},
    ],
  };
}

function costPanel(results: Result[], costs: Cost[], title: string, theme: Theme): Panel {
  const values = results.flatMap((result) =>
    costs.map((cost) => ({rule: result.rule, cost, share: result[cost].mean})),
  );
  const most = Math.max(1, ...values.map(({share}) => share));
  const range = COSTS.map((_, place) => paletteStyle([0, 2, 3][place] as number, theme).color);
  return {
    ...{width: width(4), height: ROW * results.length, data: {values}},
    title: {text: costs.length > 1 ? '● forward  ◆ backward' : title, color: themeColors[theme].quietInk},
    mark: {type: 'point', filled: true, size: 55, opacity: 1},
    encoding: {
      y: rulesAxis(results, false),
      x: {
        ...{field: 'share', type: 'quantitative', title, scale: {domain: [0, most]}},
        axis: {tickCount: 3, labelExpr: "format(datum.value * 100, 'd') + ' %'"},
      },
      shape: {
        field: 'cost',
        type: 'nominal',
        scale: {domain: [...COSTS], range: ['circle', 'diamond', 'square']},
        legend: null,
      },
      color: {field: 'cost', type: 'nominal', scale: {domain: [...COSTS], range}, legend: null},
    },
  };
}
