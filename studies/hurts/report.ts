import type {StudyReport} from '../kit/study';
import type {HurtsRecord} from './record';
import {relativeFigure} from './relativeFigure';
import {hurtsSummary} from './summary';

export function hurtsReport(seeds: HurtsRecord[][]): StudyReport {
  const summary = hurtsSummary(seeds);
  return {summary, figures: {relative: (theme) => relativeFigure(summary.tasks, seeds.length, theme)}};
}
