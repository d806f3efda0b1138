import type {Theme} from '../../examples/mnist/report/theme';
import {atOnePace} from '../kit/atOnePace';
import {byArm} from '../kit/byArm';
import type {StudyReport} from '../kit/study';
import {turnFigure} from '../kit/turnFigure';
import {type TurnSummary, turnSummary} from '../kit/turnSummary';
import type {DetectionQuality} from './averagePrecision';
import type {DetectionRecord} from './record';
import {RANDOM} from './rules';
import {sheetFigure} from './sheetFigure';

/** `falsePositivesAt80` is NaN if a seed does not reach that recall. */
export type DetectionSummary = TurnSummary<keyof DetectionQuality>;

export function detectionReport(seeds: DetectionRecord[]): StudyReport {
  const arms = byArm(atOnePace(seeds.map(({rules}) => rules)));
  const sheet = seeds[0]?.sheet;
  return {
    summary: turnSummary(
      arms,
      {
        map50: ({map50}: DetectionQuality) => map50,
        map: ({map}) => map,
        falsePositives: ({falsePositives}) => falsePositives,
        recall: ({recall}) => recall,
        falsePositivesAt80: ({falsePositivesAt80}) => falsePositivesAt80 ?? Number.NaN,
      },
      RANDOM,
    ) satisfies DetectionSummary,
    figures: {
      precision: (theme) =>
        turnFigure(arms, {
          theme,
          title: 'Mean average precision of a detector of digits, by the rule for its anchors',
          subtitle: 'test scenes, overlap 0.5',
          description:
            'Mean average precision at an overlap of 0.5 on test scenes, over steps and over the seconds of the ' +
            'steps; a line for each of seven rules, with the interval of all anchors.',
          measure: ({map50}) => map50,
        }),
      ...(sheet && {scenes: (theme: Theme) => sheetFigure(sheet, theme)}),
    },
  };
}
