import {lossHistogramFigure} from '../../examples/mnist/report/lossHistogramFigure';
import {atOnePace} from '../kit/atOnePace';
import {seedsSaid} from '../kit/seedsSaid';
import type {StudyReport, StudySettings} from '../kit/study';
import type {ArmRecord} from '../kit/trainTogether';
import {accuracyAndLossBands} from './accuracyAndLossBands';
import {differencesFigure} from './differencesFigure';
import {equalCostFigure} from './equalCostFigure';
import {pooledHistograms} from './pooledHistograms';
import {referenceSummary} from './summary';

/** The two figures of the original, and two that it lacks. */
export function referenceReport(records: ArmRecord[][], settings: StudySettings): StudyReport {
  const seeds = atOnePace(records);
  const subtitle = `learning rate ${settings.learningRate} · ${seedsSaid(seeds.length)}`;
  const histograms = pooledHistograms(seeds, settings);
  return {
    summary: referenceSummary(seeds),
    figures: {
      'figure-1': (theme) => accuracyAndLossBands(seeds, subtitle, theme),
      'figure-2': (theme) =>
        lossHistogramFigure(histograms, {
          theme,
          subtitle: `learning rate ${settings.learningRate} · ${seeds.length} seeds together`,
        }),
      'equal-cost': (theme) => equalCostFigure(seeds, subtitle, theme),
      differences: (theme) => differencesFigure(seeds, subtitle, theme),
    },
  };
}
