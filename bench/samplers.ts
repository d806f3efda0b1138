import {
  earlyStopped,
  easiestFirst,
  hardestRows,
  infoBatch,
  kakurenbo,
  type RowScores,
  randomSubset,
  type Sampler,
  selectiveBackprop,
} from 'ohem-tfjs';
import {rowsOfEpoch} from '../src/trainers/fit/rowsOfEpoch';
import type {Contestant} from './interleaved';

export const SAMPLED_ROWS = 1e6;

const SAMPLERS: Record<string, () => Sampler> = {
  'infoBatch()': () => infoBatch(),
  'infoBatch({threshold: {quantile: 0.8}})': () => infoBatch({threshold: {quantile: 0.8}}),
  'randomSubset({ratio: 0.65})': () => randomSubset({ratio: 0.65}),
  'randomSubset({ratio: 0.65, stratify})': () =>
    randomSubset({ratio: 0.65, stratify: Int32Array.from({length: SAMPLED_ROWS}, (_, row) => (row * 7919) % 10)}),
  'kakurenbo()': () => kakurenbo(),
  'earlyStopped()': () => earlyStopped(),
  'easiestFirst({growEpochs: 10})': () => easiestFirst({growEpochs: 10}),
  'hardestRows({ratio: 0.5})': () => hardestRows({ratio: 0.5}),
  'selectiveBackprop({power: 2})': () => selectiveBackprop({power: 2}),
};

/** How a contestant is called that is timed within a trainer. */
export const inTrainer = (name: string): string => `${name} in fitOhem`;

/** Enough epochs that neither an ending nor a decay is ever reached. */
const EPOCHS = 1000;

/**
 * What a sampler takes for a million rows: the time of an epoch, for what it chooses and what it
 * notes after it.
 */
export function samplerContestants(): Contestant[] {
  const epochs = [scores(0), scores(1)] as const;
  return Object.entries(SAMPLERS).map(([name, build]) => {
    const sampler = build();
    let [state, epoch] = [sampler.init(SAMPLED_ROWS), 0];
    return {
      name,
      run() {
        const [known, seen] = [epochs[epoch % 2] as RowScores, epochs[(epoch + 1) % 2] as RowScores];
        const chosen = sampler.choose(state, {epoch: 1 + (epoch % 8), epochs: EPOCHS, seed: 1, scores: known});
        state = sampler.next(state, {epoch, chosen, scores: seen});
        epoch++;
      },
    };
  });
}

/**
 * The same beside the work of a trainer between two epochs: its copies of the scores, its checks of
 * the choice and of the state, and the shuffle of the chosen rows.
 */
export function trainerContestants(): Contestant[] {
  const epochs = [scores(0), scores(1)] as const;
  const task = {where: 'bench', size: SAMPLED_ROWS, seed: 1, epochs: EPOCHS, isShuffled: true};
  return Object.entries(SAMPLERS).map(([name, build]) => {
    const rows = rowsOfEpoch({...task, sampler: build()});
    const at = (epoch: number) => ({epoch, batch: 0, step: 0});
    let epoch = 0;
    rows.begin(at(epoch));
    return {
      name: inTrainer(name),
      prepare() {
        const {losses, correct, confidence} = epochs[epoch % 2] as Required<RowScores>;
        rows.scores.losses.set(losses);
        rows.scores.correct?.set(correct);
        rows.scores.confidence?.set(confidence);
      },
      run() {
        rows.end(at(epoch), rows.current().chosen.rows.length);
        epoch++;
        rows.begin(at(epoch));
      },
    };
  });
}

/**
 * Bytes for each row from epoch to epoch: the state, and the scores that the sampler reads. Labels
 * to stratify by are apart.
 */
export function bytesPerRow(): Record<string, number> {
  const {losses, correct, confidence} = scores(0);
  const bytes = Object.entries(SAMPLERS).map(([name, build]) => {
    const {needs = [], ...sampler} = build();
    const held = [losses, ...needs.map((need) => (need === 'correct' ? correct : confidence))];
    const kept = [...held, ...Object.values(sampler.init(SAMPLED_ROWS) as object)].filter(ArrayBuffer.isView);
    return [name, kept.reduce((sum, {byteLength}) => sum + byteLength, 0) / SAMPLED_ROWS] as const;
  });
  return Object.fromEntries(bytes);
}

/**
 * Scores of a long run: many small losses, few large ones, in no order; they
 * differ a little by epoch.
 */
function scores(epoch: number): Required<RowScores> {
  const losses = Float32Array.from({length: SAMPLED_ROWS}, (_, row) => {
    const share = ((row * 618_033) % SAMPLED_ROWS) / SAMPLED_ROWS;
    return 4 * share ** 4 + 0.001 * epoch * Math.abs(Math.sin(row));
  });
  return {
    losses,
    correct: Uint8Array.from(losses, (loss) => (loss < 0.7 ? 1 : 0)),
    confidence: losses.map((loss) => Math.exp(-loss)),
  };
}
