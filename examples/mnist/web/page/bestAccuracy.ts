import type {RunResult} from '../../experiment/results';

/** The highest of the measured accuracies, the earliest of equal ones; undefined before any. */
export function bestAccuracy(measured: RunResult['testAccuracy']): RunResult['testAccuracy'][number] | undefined {
  return measured.reduce<RunResult['testAccuracy'][number] | undefined>(
    (best, next) => (best && best.accuracy >= next.accuracy ? best : next),
    undefined,
  );
}
