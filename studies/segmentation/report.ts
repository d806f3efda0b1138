import type {Theme} from '../../examples/mnist/report/theme';
import {atOnePace} from '../kit/atOnePace';
import {byArm} from '../kit/byArm';
import type {StudyReport} from '../kit/study';
import {turnFigure} from '../kit/turnFigure';
import {type TurnSummary, turnSummary} from '../kit/turnSummary';
import type {SegmentationQuality} from './pixelScores';
import type {SegmentationRecord} from './record';
import {RANDOM} from './rules';
import {sheetFigure} from './sheetFigure';

export type SegmentationSummary = TurnSummary<keyof SegmentationQuality>;

export function segmentationReport(seeds: SegmentationRecord[]): StudyReport {
  const arms = byArm(atOnePace(seeds.map(({rules}) => rules)));
  const sheet = seeds[0]?.sheet;
  return {
    summary: turnSummary(
      arms,
      {
        meanIou: ({meanIou}: SegmentationQuality) => meanIou,
        boundaryF1: ({boundaryF1}) => boundaryF1,
        digitIou: ({digitIou}) => digitIou,
      },
      RANDOM,
    ) satisfies SegmentationSummary,
    figures: {
      iou: (theme) =>
        turnFigure(arms, {
          theme,
          title: 'Mean IoU of a U-Net on scenes of digits, by the rule for their pixels',
          subtitle: 'test scenes, background and digits',
          description:
            'Mean intersection over union on test scenes, over steps and over the seconds of the steps; a line for ' +
            'each of seven rules, with the interval of all pixels.',
          measure: ({meanIou}) => meanIou,
        }),
      ...(sheet && {scenes: (theme: Theme) => sheetFigure(sheet, theme)}),
    },
  };
}
