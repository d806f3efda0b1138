import type {StudyReport} from '../kit/study';
import type {SpeedRecord, SpeedStep} from './record';
import {stepTimes} from './stepTimes';

export interface SpeedSummary {
  steps: SpeedStep[];
}

export function speedReport([records]: SpeedRecord[][]): StudyReport {
  const steps = (records as SpeedRecord[]).map((record): SpeedStep => {
    const {plainMs, minedMs, allMs} = record;
    return {...record, ratio: minedMs / plainMs, ...(allMs !== undefined && {allRatio: allMs / plainMs})};
  });
  return {
    summary: {steps} satisfies SpeedSummary,
    figures: {'step-times': (theme) => stepTimes(steps, theme)},
  };
}
