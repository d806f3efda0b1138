import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import type {Theme} from '../../examples/mnist/report/theme';
import {atOnePace} from '../kit/atOnePace';
import {bandPanel, COUNT, PERCENT, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {byArm} from '../kit/byArm';
import {paletteStyle} from '../kit/palette';
import {reachedAt, valueAt} from '../kit/polyline';
import {seedsSaid} from '../kit/seedsSaid';
import {type Estimate, estimate} from '../kit/statistics';
import type {StudyReport} from '../kit/study';
import {type ArmRecord, secondsAt} from '../kit/trainTogether';

export interface CostSummary {
  /**
   * Seconds after which every arm is compared: what the fastest needed for all of its steps, in the
   * seed in which it was fastest.
   */
  equalSeconds: number;
  /** Of each training run. */
  steps: number;
  arms: {
    name: string;
    msPerStep: Estimate;
    /** Time of a step, by that of the plain arm of the same seed. */
    stepTimeToPlain: Estimate;
    /**
     * Seconds of steps until the test accuracy first reaches a level; only of those that every
     * seed reaches.
     */
    secondsTo: Record<string, Estimate>;
    /** Steps until then. */
    stepsTo: Record<string, Estimate>;
    accuracyAtEqualSeconds: Estimate;
    finalAccuracy: Estimate;
    /**
     * The largest difference, over the first 100 steps and all seeds, to the losses of `masked` of
     * the same size.
     */
    lossDifference: number;
  }[];
}

const LEVELS = [0.9, 0.93, 0.95];

export function costReport(records: ArmRecord[][]): StudyReport {
  const seeds = atOnePace(records);
  const arms = byArm(seeds);
  return {
    summary: summaryOf(arms),
    figures: {accuracy: (theme) => accuracy(arms, theme)},
  };
}

function summaryOf(arms: ArmRecord[][]): CostSummary {
  const plain = arms[0] as ArmRecord[];
  const equalSeconds = Math.floor(Math.min(...arms.flat().map((record) => secondsAt(record).at(-1) as number)));
  return {
    equalSeconds,
    steps: plain[0]?.measuredAt.at(-1) as number,
    arms: arms.map((seeds) => {
      const {n, k, name} = seeds[0] as ArmRecord;
      const masked = arms.find(([first]) => first?.n === n && first.k === k) as ArmRecord[];
      const reached = (xsOf: (seed: ArmRecord) => number[]) =>
        Object.fromEntries(
          LEVELS.map((level): [number, Estimate] => [
            level,
            estimate(seeds.map((seed) => reachedAt(xsOf(seed), seed.testAccuracy, level))),
          ]).filter(([, {mean}]) => Number.isFinite(mean)),
        );
      return {
        name,
        msPerStep: estimate(seeds.map(({msPerStep}) => msPerStep)),
        stepTimeToPlain: estimate(seeds.map(({msPerStep}, seed) => msPerStep / (plain[seed] as ArmRecord).msPerStep)),
        secondsTo: reached(secondsAt),
        stepsTo: reached(({measuredAt}) => measuredAt),
        accuracyAtEqualSeconds: estimate(
          seeds.map((seed) => valueAt(secondsAt(seed), seed.testAccuracy, equalSeconds)),
        ),
        finalAccuracy: estimate(seeds.map(({testAccuracy}) => testAccuracy.at(-1) as number)),
        lossDifference: Math.max(
          ...seeds.flatMap(({firstLosses}, seed) =>
            firstLosses.map((loss, step) => Math.abs(loss - ((masked[seed] as ArmRecord).firstLosses[step] as number))),
          ),
        ),
      };
    }),
  };
}

/**
 * Blue for plain training, as in the other figures; grey, green and red for masked, recompute and
 * pruned.
 */
const STYLE_OF = [0, 3, 2, 1];

/** A panel for each size, with plain training in both. */
function accuracy([plain, ...others]: ArmRecord[][], theme: Theme): TopLevelSpec {
  const base = plain as ArmRecord[];
  const sizes = [...new Set(others.map(([first]) => `${first?.n}/${first?.k}`))];
  const seriesOf = (seeds: ArmRecord[], index: number): Series => {
    const {name, measuredAt} = seeds[0] as ArmRecord;
    const meanSeconds = measuredAt.map(
      (_, place) => estimate(seeds.map((seed) => secondsAt(seed)[place] as number)).mean,
    );
    const curves = seeds.map(({testAccuracy}) => testAccuracy);
    return {
      label: index === 0 ? name : name.replace(/^\S+ /, ''),
      style: paletteStyle(STYLE_OF[index] ?? 0, theme),
      points: bandOf(meanSeconds, curves),
    };
  };
  const last = Math.max(...[base, ...others].flat().map((record) => secondsAt(record).at(-1) as number));
  return stackedPanels({
    theme,
    title: 'Test accuracy over time, by how gradients are computed',
    subtitle: [`steps taken in turn · ${seedsSaid(base.length)}`],
    description: 'Test accuracy over the seconds that the steps took; a panel for each n/k, a line for each strategy.',
    spacing: 22,
    panels: sizes.map((size, index) =>
      bandPanel({
        theme,
        title: size,
        series: [base, ...others.filter(([first]) => `${first?.n}/${first?.k}` === size)].map(seriesOf),
        x: {
          ...(index === sizes.length - 1 && {title: 'Seconds of steps'}),
          from: 0,
          to: Math.ceil(last),
          labels: COUNT,
        },
        y: {from: 0.88, to: 0.98, labels: PERCENT},
        width: panelWidth(WIDE),
        height: 170,
      }),
    ),
  });
}
