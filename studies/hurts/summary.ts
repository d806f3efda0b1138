import {byArm} from '../kit/byArm';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import type {TurnRecord} from '../kit/trainInTurn';
import type {HurtsRecord, Quality} from './record';
import {randomOf} from './rules';

/** A number of one rule, and paired differences to other rules. */
interface Compared {
  value: Estimate;
  /** Less that of `all()`. */
  toAll?: Estimate;
  /** The same as a share of that of `all()`. */
  relative?: Estimate;
  /** Less that of as much at random; of the rules that mine. */
  toRandom?: Estimate;
}

export interface HurtsSummary {
  tasks: {
    task: string;
    rules: {
      name: string;
      /** By measure, after the last step. */
      end: Record<string, Compared>;
      /** Mean of all measurements of a run: how good the rule was on the way. */
      onTheWay: Record<string, Compared>;
    }[];
  }[];
}

type Rule = TurnRecord<Quality>;

/** Summarises the cases, over the seeds. */
export function hurtsSummary(seeds: HurtsRecord[][]): HurtsSummary {
  const tasks = byArm(seeds).map((ofSeeds) => {
    const arms = byArm(ofSeeds.map(({rules}) => rules));
    return {
      task: (ofSeeds[0] as HurtsRecord).task,
      rules: arms.map((records) => summaryOf(records, arms)),
    };
  });
  return {tasks};
}

const atEnd = (values: number[]) => values.at(-1) as number;
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function summaryOf(records: Rule[], arms: Rule[][]): HurtsSummary['tasks'][number]['rules'][number] {
  const {name, quality} = records[0] as Rule;
  const all = arms[0] as Rule[];
  const random = arms.find(([first]) => first?.name === randomOf(name));
  const compared = (measure: string, of: (values: number[]) => number): Compared => {
    const ofSeeds = (rule: Rule[]) => rule.map((record) => of(record.quality.map((at) => at[measure] as number)));
    const [values, ofAll] = [ofSeeds(records), ofSeeds(all)];
    return {
      value: estimate(values),
      ...(records !== all && {
        toAll: pairedDifference(values, ofAll),
        relative: estimate(values.map((value, seed) => value / (ofAll[seed] as number) - 1)),
      }),
      ...(random && random !== records && {toRandom: pairedDifference(values, ofSeeds(random))}),
    };
  };
  const byMeasure = (of: (values: number[]) => number) =>
    Object.fromEntries(Object.keys(quality[0] as Quality).map((measure) => [measure, compared(measure, of)]));
  return {name, end: byMeasure(atEnd), onTheWay: byMeasure(mean)};
}
