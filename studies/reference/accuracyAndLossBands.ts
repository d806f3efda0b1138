import type {TopLevelSpec} from 'vega-lite';
import {stackedPanels, WIDE} from '../../examples/mnist/report/figureFrame';
import {percent} from '../../examples/mnist/report/percent';
import type {Theme} from '../../examples/mnist/report/theme';
import {bandPanel, COUNT, PERCENT, panelWidth} from '../kit/bandPanel';
import {bandOf, type Series} from '../kit/bands';
import {type ArmRecord, STRETCH} from '../kit/trainTogether';
import {armSeeds, mined} from './armSeeds';

/**
 * Figure 1 of the original, with intervals: the four runs, accuracy above and selected loss below.
 */
export function accuracyAndLossBands(records: ArmRecord[][], subtitle: string, theme: Theme): TopLevelSpec {
  const runs = mined(armSeeds(records, theme));
  const steps = Math.max(...runs.flatMap(({arm}) => arm.measuredAt));
  const accuracy = runs.map(({name, arm, accuracies, style}): Series => {
    const points = bandOf(arm.measuredAt, accuracies);
    return {label: `${name} · ${percent(points.at(-1)?.mean ?? Number.NaN)}`, style, points};
  });
  const loss = runs.map(({name, arm, seeds, style}): Series => {
    const middles = arm.losses.map((_, stretch) => Math.min(steps, (stretch + 0.5) * STRETCH));
    const curves = seeds.map(({losses}) => losses);
    return {label: name, style, points: bandOf(middles, curves)};
  });
  const ends = accuracy.map(({label}) => label).join('; ');
  return stackedPanels({
    theme,
    title: 'Accuracy and loss over training',
    subtitle: [subtitle],
    description: `Test accuracy, and mean loss of the backpropagated rows, over the steps, a line for each run. Test accuracy at the end: ${ends}.`,
    spacing: 22,
    panels: [
      bandPanel({
        theme,
        title: 'Test accuracy',
        series: accuracy,
        x: {from: 0, to: steps, labels: COUNT},
        y: {from: 0, to: 1, labels: PERCENT},
        width: panelWidth(WIDE),
      }),
      bandPanel({
        theme,
        title: 'Mean loss of the backpropagated rows',
        subtitle: `over stretches of ${STRETCH} steps`,
        series: loss,
        alignedWith: accuracy,
        x: {title: 'Step', from: 0, to: steps, labels: COUNT},
        y: {from: 0, to: 0.6, labels: "format(datum.value, '.1f')"},
        width: panelWidth(WIDE),
      }),
    ],
  });
}
