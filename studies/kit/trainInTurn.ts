import {median} from '../../examples/mnist/experiment/median';

/** A model that is trained step by step on batches that others get too. */
export interface Learner<Batch, Quality> {
  name: string;
  /** One step. Resolves to the number of elements that it kept. */
  step(batch: Batch): Promise<number>;
  setLearningRate(rate: number): void;
  /** How good it is on test data. */
  measure(): Promise<Quality>;
  dispose(): void;
}

/** The measurements of one learner. */
export interface TurnRecord<Quality> {
  name: string;
  /** Steps after which it was measured. */
  measuredAt: number[];
  quality: Quality[];
  /** Mean number of elements that its steps kept, from one measurement to the next. */
  kept: number[];
  /** Median CPU time of a step, which other processes affect less than the time on the wall. */
  msPerStep: number;
}

export interface TurnOptions<Batch> {
  steps: number;
  /** Steps from one measurement to the next; the last step is followed by one too. */
  measureEvery: number;
  /** Makes the batch of a step, counted from 0. */
  batchOf(step: number): Batch;
  disposeBatch(batch: Batch): void;
  /** The learning rate of a step. */
  rateOf(step: number): number;
}

/**
 * Trains learners in turn, a step each on the same batch: what else the machine does then meets all
 * of them alike, and their times can be compared.
 *
 * @param build  builds the learners, one after the other; they are disposed at the end, whatever
 *   ends it.
 * @returns a generator that yields the share of the steps that is done, and at its end returns a
 *   record of each learner, in order.
 */
export async function* trainInTurn<Batch, Quality>(
  build: readonly (() => Learner<Batch, Quality>)[],
  options: TurnOptions<Batch>,
): AsyncGenerator<number, TurnRecord<Quality>[], undefined> {
  const turns: Turn<Batch, Quality>[] = [];
  const {steps, measureEvery} = options;
  try {
    for (const make of build) turns.push(turnOf(make()));
    for (let step = 0; step < steps; step++) {
      const batch = options.batchOf(step);
      try {
        for (const [place, turn] of turns.entries()) {
          await stepOf(turn, batch, options.rateOf(step));
          yield (step * turns.length + place + 1) / (steps * turns.length);
        }
      } finally {
        options.disposeBatch(batch);
      }
      const taken = step + 1;
      if (taken % measureEvery !== 0 && taken !== steps) continue;
      for (const turn of turns) await measure(turn, taken);
    }
    return turns.map(({record, times}) => ({...record, msPerStep: Number(median(times).toPrecision(4))}));
  } finally {
    for (const {learner} of turns) learner.dispose();
  }
}

interface Turn<Batch, Quality> {
  learner: Learner<Batch, Quality>;
  record: TurnRecord<Quality>;
  times: number[];
  /** Kept elements of the steps since the last measurement. */
  keptSince: number[];
}

function turnOf<Batch, Quality>(learner: Learner<Batch, Quality>): Turn<Batch, Quality> {
  const record = {name: learner.name, measuredAt: [], quality: [], kept: [], msPerStep: 0};
  return {learner, record, times: [], keptSince: []};
}

async function stepOf<Batch>(turn: Turn<Batch, unknown>, batch: Batch, rate: number): Promise<void> {
  const before = process.cpuUsage();
  turn.learner.setLearningRate(rate);
  turn.keptSince.push(await turn.learner.step(batch));
  const {user, system} = process.cpuUsage(before);
  turn.times.push((user + system) / 1000);
}

async function measure<Quality>(turn: Turn<never, Quality>, taken: number): Promise<void> {
  const {learner, record, keptSince} = turn;
  record.measuredAt.push(taken);
  record.quality.push(await learner.measure());
  const kept = keptSince.splice(0);
  record.kept.push(Number((kept.reduce((sum, count) => sum + count, 0) / kept.length).toFixed(1)));
}
