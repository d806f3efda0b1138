import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {percent} from '../../examples/mnist/report/percent';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {byArm} from '../kit/byArm';
import {paletteStyle} from '../kit/palette';
import {seedsSaid} from '../kit/seedsSaid';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import type {StudyReport} from '../kit/study';
import {keptFigure} from './keptFigure';
import type {NoiseRecord, NoiseResult} from './record';

export interface NoiseSummary {
  results: NoiseResult[];
}

export function noiseReport(seeds: NoiseRecord[][]): StudyReport {
  const trainings = byArm(seeds);
  return {summary: summaryOf(trainings), figures: {accuracy: (theme) => accuracy(trainings, theme)}};
}

/** The report on many rules at one share of wrong labels: what they keep, in place of curves. */
export function noiseRulesReport(seeds: NoiseRecord[][]): StudyReport {
  const summary = summaryOf(byArm(seeds));
  return {summary, figures: {kept: (theme) => keptFigure(summary.results, seeds.length, theme)}};
}

function summaryOf(trainings: NoiseRecord[][]): NoiseSummary {
  const plainWith = (share: number) =>
    trainings.find(([first]) => first?.rule === 'all()' && first.flipped === share) as NoiseRecord[];
  return {results: trainings.map((training) => resultOf(training, plainWith))};
}

function resultOf(seeds: NoiseRecord[], plainWith: (share: number) => NoiseRecord[]): NoiseResult {
  const {rule, flipped, measuredAt} = seeds[0] as NoiseRecord;
  const plain = plainWith(flipped);
  const at = (records: NoiseRecord[], place: number) => records.map(({testAccuracy}) => testAccuracy[place] as number);
  const byEpoch = (make: (place: number) => Estimate) =>
    Object.fromEntries(measuredAt.map((epoch, place) => [epoch, make(place)]));
  return {
    rule,
    flipped,
    afterEpochs: byEpoch((place) => estimate(at(seeds, place))),
    ...(seeds[0]?.wrongAmongKept && {
      wrongAmongKept: byEpoch((place) => estimate(seeds.map((seed) => seed.wrongAmongKept?.[place] as number))),
    }),
    ...(seeds !== plain && {toPlain: byEpoch((place) => pairedDifference(at(seeds, place), at(plain, place)))}),
  };
}

const GAP = 20;
const COLUMNS = 2;

/** A panel for each share of wrong labels, two beside each other. */
function accuracy(trainings: NoiseRecord[][], theme: Theme): TopLevelSpec {
  const first = (seeds: NoiseRecord[]) => seeds[0] as NoiseRecord;
  const shares = [...new Set(trainings.map((seeds) => first(seeds).flipped))];
  const rules = [...new Set(trainings.map((seeds) => first(seeds).rule))];
  const panels = shares.map((share, index) => {
    const series = trainings
      .filter((seeds) => first(seeds).flipped === share)
      .map((seeds): Series => {
        const {rule, measuredAt} = first(seeds);
        const curves = seeds.map(({testAccuracy}) => testAccuracy);
        const style = paletteStyle(STYLE_OF[rules.indexOf(rule)] ?? 0, theme);
        return {label: rule.replace(/\(.*/, ''), style, points: bandOf(measuredAt, curves)};
      });
    const isLow = index >= shares.length - COLUMNS;
    return bandPanel({
      theme,
      title: share === 0 ? 'no wrong labels' : `${percent(share, 0)} wrong labels`,
      series,
      x: {
        ...(isLow && {title: 'Epoch'}),
        from: 1,
        to: Math.max(2, ...first(trainings[0] as NoiseRecord[]).measuredAt),
        labels: COUNT,
      },
      y: {from: 0.8, to: 0.98, labels: PERCENT},
      width: panelWidth(WIDE, COLUMNS, GAP),
      height: 150,
    });
  });
  return stackedPanels({
    theme,
    title: 'Test accuracy after training with wrong labels',
    subtitle: [seedsSaid((trainings[0] as NoiseRecord[]).length)],
    description: 'Test accuracy over the epochs, a panel for each share of wrong labels, a line for each rule.',
    spacing: 18,
    panels: Array.from({length: Math.ceil(panels.length / COLUMNS)}, (_, row) => ({
      spacing: GAP,
      hconcat: panels.slice(row * COLUMNS, (row + 1) * COLUMNS),
    })),
  });
}

/**
 * Blue for all rows, grey for random ones, as in the other figures; red for the hardest, green for
 * the trimmed.
 */
const STYLE_OF = [0, 3, 1, 2];
