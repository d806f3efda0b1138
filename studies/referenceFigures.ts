import type {TopLevelSpec} from 'vega-lite';
import type {Results, RunResult} from '../examples/mnist/experiment/results';
import {type Panel, stackedPanels, WIDE} from '../examples/mnist/report/figureFrame';
import {lossHistogramFigure} from '../examples/mnist/report/lossHistogramFigure';
import {percent} from '../examples/mnist/report/percent';
import {type RunStyle, runStyles} from '../examples/mnist/report/runStyle';
import type {Theme} from '../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT, POINTS, panelWidth} from './bandPanel';
import {bandOf, type Series} from './bands';
import type {StudyReport, StudySettings} from './study';
import {type ArmRecord, STRETCH} from './trainTogether';

/** The records of one arm, a seed after the other. */
interface ArmSeeds {
  arm: ArmRecord;
  seeds: ArmRecord[];
}

const armsOf = (seeds: ArmRecord[][]): ArmSeeds[] =>
  (seeds[0] as ArmRecord[]).map((arm, index) => ({arm, seeds: seeds.map((seed) => seed[index] as ArmRecord)}));

export function referenceFigures(seeds: ArmRecord[][], settings: StudySettings): StudyReport['figures'] {
  const arms = armsOf(seeds);
  const subtitle = `learning rate ${settings.learningRate} · mean of ${seeds.length} seeds, with its 95 % interval`;
  return {
    'figure-1': (theme) => accuracyAndLoss(arms, subtitle, theme),
    'figure-2': (theme) =>
      lossHistogramFigure(addedUp(arms, settings), {theme, subtitle: `all of ${seeds.length} seeds`}),
    'equal-cost': (theme) => equalCost(arms, subtitle, theme),
    differences: (theme) => differences(arms, subtitle, theme),
  };
}

const stylesOf = (arms: ArmSeeds[], theme: Theme) =>
  new Map(
    runStyles(
      arms.map(({arm}) => arm),
      theme,
    ).map((style, index) => [(arms[index] as ArmSeeds).arm.name, style]),
  );

const isOriginal = ({arm}: ArmSeeds) => arm.rule === 'hardest';
const lastOf = (numbers: readonly number[]) => numbers.at(-1) as number;
const accuracies = (seeds: ArmRecord[]) => seeds.map(({testAccuracy}) => testAccuracy);

/** Figure 1 of the original: the four runs, accuracy above and selected loss below. */
function accuracyAndLoss(arms: ArmSeeds[], subtitle: string, theme: Theme): TopLevelSpec {
  const styles = stylesOf(arms, theme);
  const originals = arms.filter(isOriginal);
  const steps = lastOf((originals[0] as ArmSeeds).arm.measuredAt);
  const accuracy = originals.map(({arm, seeds}): Series => {
    const points = bandOf(arm.measuredAt, accuracies(seeds));
    return {
      label: `${arm.name} · ${percent(lastOf(points.map(({mean}) => mean)))}`,
      style: styles.get(arm.name) as RunStyle,
      points,
    };
  });
  const loss = originals.map(({arm, seeds}): Series => {
    const middles = arm.losses.map((_, stretch) => Math.min(steps, (stretch + 0.5) * STRETCH));
    return {
      label: arm.name,
      style: styles.get(arm.name) as RunStyle,
      points: bandOf(
        middles,
        seeds.map(({losses}) => losses),
      ),
    };
  });
  const width = panelWidth(WIDE);
  return stackedPanels({
    theme,
    title: 'Accuracy and loss over training',
    subtitle: [subtitle],
    description: `Test accuracy, and mean loss of the backpropagated rows, over the steps, a line for each run. Test accuracy at the end: ${accuracy.map(({label}) => label).join('; ')}.`,
    spacing: 22,
    panels: [
      bandPanel({
        theme,
        title: 'Test accuracy',
        series: accuracy,
        x: {from: 0, to: steps, labels: COUNT},
        y: {from: 0, to: 1, labels: PERCENT},
        width,
      }),
      bandPanel({
        theme,
        title: 'Mean loss of the backpropagated rows',
        subtitle: `over stretches of ${STRETCH} steps`,
        series: withRoomOf(accuracy, loss),
        x: {title: 'Step', from: 0, to: steps, labels: COUNT},
        y: {from: 0, to: 0.5, labels: "format(datum.value, '.1f')"},
        width,
      }),
    ],
  });
}

/** Series whose labels are as wide as those of others, so that panels above each other are as wide. */
const withRoomOf = (others: Series[], series: Series[]): Series[] => {
  const longest = Math.max(...others.map(({label}) => label.length));
  return series.map((one) => ({...one, label: one.label.padEnd(longest, '\u2007')}));
};

/** The histograms of all seeds together, in the form that the figure of the example takes. */
function addedUp(arms: ArmSeeds[], {steps, learningRate}: StudySettings): Results {
  const sum = (lists: number[][]) =>
    (lists[0] as number[]).map((_, bin) => lists.reduce((total, list) => total + (list[bin] as number), 0));
  const runs = arms.filter(isOriginal).map(({arm, seeds}): RunResult => {
    const {name, n, k, rule, measuredAt, msPerStep} = arm;
    const histograms = (arm.histograms ?? []).map(({step}, place) => {
      const ofSeeds = seeds.flatMap(({histograms = []}) => histograms[place] ?? []);
      return {step, batch: sum(ofSeeds.map(({batch}) => batch)), selected: sum(ofSeeds.map(({selected}) => selected))};
    });
    return {
      name,
      n,
      k,
      rule,
      histograms,
      steps: measuredAt,
      selectedLoss: [],
      batchLoss: [],
      testAccuracy: [],
      msPerStep,
    };
  });
  return {
    settings: {steps, learningRate: Number(learningRate), seed: 1, backend: 'wasm', runs: runs.map(({name}) => name)},
    data: {source: 'folder', description: 'MNIST', trainCount: 60_000, testCount: 10_000},
    versions: {ohem: '', tfjs: '', node: ''},
    runs,
  };
}

/** The same accuracies, by what they cost. */
function equalCost(arms: ArmSeeds[], subtitle: string, theme: Theme): TopLevelSpec {
  const styles = stylesOf(arms, theme);
  const originals = arms.filter(isOriginal);
  const seriesOver = (xsOf: (arm: ArmSeeds) => number[]) =>
    originals.map((one): Series => {
      const style = styles.get(one.arm.name) as RunStyle;
      return {label: one.arm.name, style, points: bandOf(xsOf(one), accuracies(one.seeds))};
    });
  const examples = seriesOver(({arm}) => arm.measuredAt.map((step) => step * arm.k));
  const seconds = seriesOver(({arm, seeds}) =>
    arm.seconds.map((_, place) => seeds.reduce((sum, {seconds}) => sum + (seconds[place] as number), 0) / seeds.length),
  );
  const panel = (title: string, xTitle: string, series: Series[]): Panel =>
    bandPanel({
      theme,
      title,
      series,
      x: {title: xTitle, from: 0, to: Math.max(...series.flatMap(({points}) => points.map(({x}) => x))), labels: COUNT},
      y: {from: 0, to: 1, labels: PERCENT},
      width: panelWidth(WIDE),
    });
  return stackedPanels({
    theme,
    title: 'Test accuracy by what it costs',
    subtitle: [subtitle],
    description:
      'Test accuracy over the examples that were backpropagated, and over the time that the steps took; a line for each run.',
    spacing: 22,
    panels: [
      panel('Over the examples that were backpropagated', 'Examples', examples),
      panel('Over time', 'Seconds of steps (mean of the seeds)', seconds),
    ],
  });
}

/** What mining is ahead of the whole batch, and of as many rows at random, seed by seed. */
function differences(arms: ArmSeeds[], subtitle: string, theme: Theme): TopLevelSpec {
  const styles = stylesOf(arms, theme);
  const whole = arms.find(({arm}) => arm.n === arm.k) as ArmSeeds;
  const mined = arms.filter(({arm}) => arm.rule === 'hardest' && arm !== whole.arm);
  const steps = lastOf(whole.arm.measuredAt);
  return stackedPanels({
    theme,
    title: 'What mining is ahead, in points of test accuracy',
    subtitle: [`paired by seed · ${subtitle}`],
    description:
      'Differences of test accuracy over the steps: each mined run less the whole batch of 512, and less as many rows at random.',
    spacing: 22,
    panels: mined.map((one, index) => {
      const random = arms.find(({arm}) => arm.name === `${one.arm.name} random`) as ArmSeeds;
      const less = (other: ArmSeeds, label: string): Series => ({
        label,
        style: styles.get(other.arm.name) as RunStyle,
        points: bandOf(
          one.arm.measuredAt,
          one.seeds.map(({testAccuracy}, seed) =>
            testAccuracy.map(
              (accuracy, place) => accuracy - ((other.seeds[seed] as ArmRecord).testAccuracy[place] as number),
            ),
          ),
        ),
      });
      return bandPanel({
        theme,
        title: one.arm.name,
        series: [less(whole, `less ${whole.arm.name}`), less(random, `less ${random.arm.name}`)],
        x: {...(index === mined.length - 1 && {title: 'Step'}), from: 0, to: steps, labels: COUNT},
        y: {from: -0.3, to: 0.3, labels: POINTS},
        width: panelWidth(WIDE),
        height: 130,
      });
    }),
  });
}
