import {valueAt} from './polyline';
import {type Estimate, estimate, pairedDifference} from './statistics';
import type {TurnRecord} from './trainInTurn';
import {secondsAt} from './trainTogether';

/** One measure of a rule. */
export interface Compared {
  /** After the last step. */
  end: Estimate;
  /** Less that of the first rule, which trains on everything, seed by seed. */
  toAll: Estimate;
  /** Less that of the random rule. */
  toRandom: Estimate;
  /** After as many seconds of steps as every rule took in every seed. */
  atEqualSeconds: Estimate;
  toAllAtEqualSeconds: Estimate;
}

/** The results of rules that trained in turn. */
export interface TurnSummary<Measure extends string> {
  steps: number;
  equalSeconds: number;
  rules: {
    name: string;
    measures: Record<Measure, Compared>;
    /** Elements of a batch that a step kept, in the last stretch. */
    kept: Estimate;
    msPerStep: Estimate;
    /** By that of the first rule. */
    stepTimeToAll: Estimate;
  }[];
}

const lastOf = <Value>(values: readonly Value[]) => values.at(-1) as Value;

/**
 * Summarises rules that trained in turn.
 *
 * @param arms  by rule, then by seed, at one pace; the first rule trains on everything.
 * @param measures  how each measure is read; NaN where there is none.
 * @param random  the name of the rule that draws at random.
 */
export function turnSummary<Quality, Measure extends string>(
  arms: readonly TurnRecord<Quality>[][],
  measures: Record<Measure, (quality: Quality) => number>,
  random: string,
): TurnSummary<Measure> {
  type Rule = TurnRecord<Quality>;
  const all = arms[0] as Rule[];
  const drawn = arms.find(([first]) => first?.name === random) as Rule[];
  const equalSeconds = Math.min(...arms.flat().map((record) => lastOf(secondsAt(record))));
  const compared = (records: Rule[], measure: (quality: Quality) => number): Compared => {
    const ends = (ofSeeds: Rule[]) => ofSeeds.map(({quality}) => measure(lastOf(quality)));
    const atEqualSeconds = (ofSeeds: Rule[]) =>
      ofSeeds.map((record) => valueAt(secondsAt(record), record.quality.map(measure), equalSeconds));
    return {
      end: estimate(ends(records)),
      toAll: pairedDifference(ends(records), ends(all)),
      toRandom: pairedDifference(ends(records), ends(drawn)),
      atEqualSeconds: estimate(atEqualSeconds(records)),
      toAllAtEqualSeconds: pairedDifference(atEqualSeconds(records), atEqualSeconds(all)),
    };
  };
  const names = Object.keys(measures) as Measure[];
  return {
    steps: lastOf((all[0] as Rule).measuredAt),
    equalSeconds,
    rules: arms.map((records) => ({
      name: (records[0] as Rule).name,
      measures: Object.fromEntries(names.map((name) => [name, compared(records, measures[name])])) as Record<
        Measure,
        Compared
      >,
      kept: estimate(records.map(({kept}) => lastOf(kept))),
      msPerStep: estimate(records.map(({msPerStep}) => msPerStep)),
      stepTimeToAll: estimate(records.map(({msPerStep}, seed) => msPerStep / (all[seed] as Rule).msPerStep)),
    })),
  };
}
