/**
 * Takes out of the times of a study how busy the machine was while a seed was trained.
 *
 *     msPerStep ← msPerStep · (mean over the seeds of the first arm's) / (that of the first arm of the same seed)
 *
 * The arms of a seed take their steps in turn, so that a busy hour slows all of them alike; what
 * stays is how their times compare.
 */
export function atOnePace<Arm extends {msPerStep: number}>(seeds: readonly Arm[][]): Arm[][] {
  const paces = seeds.map(([first]) => first?.msPerStep ?? Number.NaN);
  const pace = paces.reduce((sum, ms) => sum + ms, 0) / paces.length;
  return seeds.map((arms, seed) =>
    arms.map((record) => ({...record, msPerStep: (record.msPerStep * pace) / (paces[seed] as number)})),
  );
}
