import type {RunStyle} from '../../examples/mnist/report/runStyle';
import {runStyles} from '../../examples/mnist/report/runStyle';
import type {Theme} from '../../examples/mnist/report/theme';
import type {ArmRecord} from '../kit/trainTogether';

/** An arm with its records, a seed after the other. */
export interface ArmSeeds {
  name: string;
  /** What all seeds have in common is read from the first. */
  arm: ArmRecord;
  seeds: ArmRecord[];
  /** The test accuracies of each seed. */
  accuracies: number[][];
  style: RunStyle;
}

/**
 * Turns the records of seeds, which have a record of each arm, into arms with a record of each
 * seed.
 */
export function armSeeds(seeds: ArmRecord[][], theme: Theme): ArmSeeds[] {
  const arms = seeds[0] as ArmRecord[];
  const styles = runStyles(arms, theme);
  return arms.map((arm, index) => {
    const records = seeds.map((seed) => seed[index] as ArmRecord);
    const accuracies = records.map(({testAccuracy}) => testAccuracy);
    return {name: arm.name, arm, seeds: records, accuracies, style: styles[index] as RunStyle};
  });
}

/** The runs of the original, without random controls. */
export const mined = (arms: ArmSeeds[]): ArmSeeds[] => arms.filter(({arm}) => arm.rule === 'hardest');
