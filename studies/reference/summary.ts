import {byArm} from '../kit/byArm';
import {valueAt} from '../kit/polyline';
import {type Estimate, estimate, pairedDifference} from '../kit/statistics';
import {type ArmRecord, STRETCH, secondsAt} from '../kit/trainTogether';

/** The measured figures of a curve, by where they were taken. */
type Figures = Record<string, Estimate>;

export interface ReferenceArm {
  name: string;
  n: number;
  k: number;
  rule: 'hardest' | 'random';
  /** Test accuracy after a number of steps, */
  afterSteps: Figures;
  /** … after a number of backpropagated examples, */
  afterExamples: Figures;
  /** … and after a number of seconds of steps. */
  afterSeconds: Figures;
  /** Paired differences of `afterSteps`, `afterExamples` and `afterSeconds`. */
  toWholeBatch?: Differences;
  toRandom?: Differences;
  /** Mean loss of the backpropagated rows over the last 100 steps. */
  selectedLoss: Estimate;
  /**
   * The largest fall of the accuracy from one measurement to the next, after the first 300 steps.
   */
  worstFall: Estimate;
  /** Median of the steps. */
  msPerStep: Estimate;
}

type Differences = Record<'afterSteps' | 'afterExamples' | 'afterSeconds', Figures>;

export interface ReferenceSummary {
  arms: ReferenceArm[];
}

const STEPS = [50, 100, 300, 600, 1000];
const WHOLE_BATCH = '512/512';
const LAST_STEPS = 100;
const SETTLED = 300;

/** A curve of each seed: where it is read, by what, and what is read there. */
interface Reading {
  places: number[];
  read: (record: ArmRecord, place: number) => number;
}

/** All that the document says about the reference study, from the records of its seeds. */
export function referenceSummary(seeds: ArmRecord[][]): ReferenceSummary {
  const arms = byArm(seeds);
  const readings = readingsOf(arms);
  const find = (name: string) => arms.find(([first]) => first?.name === name);
  return {
    arms: arms.map((records) => {
      const {name, n, k, rule} = records[0] as ArmRecord;
      const compared = (other: ArmRecord[] | undefined) =>
        other && other !== records && mapValues(readings, (reading) => differences(records, other, reading));
      const toWholeBatch = compared(find(WHOLE_BATCH));
      const toRandom = rule === 'hardest' ? compared(find(`${name} random`)) : undefined;
      return {
        name,
        n,
        k,
        rule,
        ...mapValues(readings, (reading) => figures(records, reading)),
        ...(toWholeBatch && {toWholeBatch}),
        ...(toRandom && {toRandom}),
        selectedLoss: estimate(records.map(({losses}) => mean(losses.slice(-LAST_STEPS / STRETCH)))),
        worstFall: estimate(records.map(worstFall)),
        msPerStep: estimate(records.map(({msPerStep}) => msPerStep)),
      };
    }),
  };
}

function readingsOf(arms: ArmRecord[][]): Record<'afterSteps' | 'afterExamples' | 'afterSeconds', Reading> {
  const records = arms.flat();
  const {measuredAt} = records[0] as ArmRecord;
  const lastStep = measuredAt.at(-1) as number;
  // As many as the smallest selections get to in all of their steps.
  const examples = [...new Set(records.map(({k}) => k * lastStep))].sort((a, b) => a - b).slice(0, 2);
  // What every arm got to in every seed, and half of it.
  const shortest = Math.floor(Math.min(...records.map((record) => secondsAt(record).at(-1) as number)));
  return {
    afterSteps: {
      places: measuredAt.filter((step) => STEPS.includes(step) || step === lastStep),
      read: (record, step) => valueAt(record.measuredAt, record.testAccuracy, step),
    },
    afterExamples: {
      places: examples,
      read: (record, count) => valueAt(record.measuredAt, record.testAccuracy, count / record.k),
    },
    afterSeconds: {
      places: [Math.floor(shortest / 2), shortest],
      read: (record, seconds) => valueAt(secondsAt(record), record.testAccuracy, seconds),
    },
  };
}

const figures = (records: ArmRecord[], {places, read}: Reading): Figures =>
  Object.fromEntries(places.map((place) => [place, estimate(records.map((record) => read(record, place)))]));

const differences = (records: ArmRecord[], others: ArmRecord[], {places, read}: Reading): Figures =>
  Object.fromEntries(
    places.map((place) => {
      const values = [records, others].map((arm) => arm.map((record) => read(record, place)));
      return [place, pairedDifference(values[0] as number[], values[1] as number[])];
    }),
  );

function worstFall({measuredAt, testAccuracy}: ArmRecord): number {
  const falls = testAccuracy.map((accuracy, place) => (testAccuracy[place - 1] ?? accuracy) - accuracy);
  return Math.max(0, ...falls.filter((_, place) => (measuredAt[place] as number) > SETTLED));
}

const mean = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

const mapValues = <Key extends string, From, To>(record: Record<Key, From>, make: (value: From) => To) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, make(value as From)])) as Record<Key, To>;
