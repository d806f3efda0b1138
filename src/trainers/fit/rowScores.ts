/** @file Scores of each row of a data set: its last loss, and how it was predicted. */

import {where as chooseEach, clone, concat, fill, keep, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import type {BatchSource, Place} from '../../data/batchSource';
import {keepingStates} from '../../models/model';
import type {RowScores, Sampler} from '../../types';
import {type Forward, inferred} from '../step/backward';
import {type StepBatch, stepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';
import {classScorer} from './classScores';

/** The parts of a batch and its forward pass from which scores are computed. */
type Seen = Pick<StepBatch, 'finite' | 'count' | 'ys'>;
type Scorable = Pick<Forward, 'raw' | 'predictions'>;

/** Called between two batches. */
export interface Pauses {
  isStopped: () => boolean;
  afterBatch: () => Promise<void>;
}

/** The scores of the rows of a data set, and their updates. */
export type ScoredRows = ReturnType<typeof scoredRows>;

/** Batches run forward together, because no activations are kept for a backward pass. */
const BATCHES_AT_ONCE = 4;

/** Returns the scores of a data set of `size` rows before any was seen. */
export function unseenRows(size: number, needs: Sampler['needs'] = []): RowScores {
  return {
    losses: new Float32Array(size).fill(Number.NaN),
    ...(needs.includes('correct') && {correct: new Uint8Array(size)}),
    ...(needs.includes('confidence') && {confidence: new Float32Array(size).fill(Number.NaN)}),
  };
}

/**
 * Keeps the scores of rows up to date, from the forward pass of each step and from rows that are
 * rescored. Losses are those before sample, class and sampler weights.
 */
export function scoredRows(settings: StepSettings, {samplerName, needs = []}: Sampler, scores: RowScores) {
  const classes = needs.length > 0 ? classScorer(settings, samplerName) : undefined;
  let noted: Tensor1D | undefined;
  const figuresOf = (batch: Seen, forward: Scorable): Tensor1D => {
    const losses = ofFinite(batch, forward.raw, Number.NaN);
    if (!classes) return clone(losses);
    const {correct, confidence} = classes(batch.ys, forward.predictions);
    return concat([losses, ofFinite(batch, correct, 0), ofFinite(batch, confidence, Number.NaN)]);
  };
  return {
    scores,
    /** Records scores of rows that were read. */
    enter: (rows: ArrayLike<number>, figures: Float32Array) => enterScores(scores, rows, figures),
    /** Holds the scores of a step, to be read with its other figures. */
    note(batch: Seen, forward: Scorable): void {
      noted?.dispose();
      noted = keep(figuresOf(batch, forward));
    },
    /** Returns the scores noted since the last call; the caller disposes them. */
    takeNoted(): Tensor1D | undefined {
      const taken = noted;
      noted = undefined;
      return taken;
    },
    /**
     * Runs rows forward in inference mode until `isStopped`. The states of the model do not change.
     */
    async rescore(source: BatchSource, at: Place, rows: Int32Array, {isStopped, afterBatch}: Pauses): Promise<void> {
      const {model} = settings;
      const isOfFixedSize = model.inputs[0]?.shape?.[0] != null;
      await keepingStates(model, async () => {
        for await (const batch of source.rowsToScore?.(at, rows, isOfFixedSize ? 1 : BATCHES_AT_ONCE) ?? []) {
          const figures = tidy(() => {
            const whole = stepBatch(settings, batch.xs, batch.ys);
            return figuresOf(whole, inferred(settings, {...whole, rowWeights: []}));
          });
          enterScores(scores, batch.rows as Int32Array, await figures.data<'float32'>());
          figures.dispose();
          await afterBatch();
          if (isStopped()) return;
        }
      });
    },
    dispose(): void {
      noted?.dispose();
      noted = undefined;
    },
  };
}

/** Returns figures of rows, with `unknown` for rows that were replaced by another. */
function ofFinite({finite, count}: Seen, figures: Tensor1D, unknown: number): Tensor1D {
  return finite ? chooseEach(finite, figures, fill([count], unknown)) : figures;
}

/**
 * Records losses, then for classes whether each is correct, then confidences: `[rows]` or
 * `[3 · rows]` figures.
 */
function enterScores({losses, correct, confidence}: RowScores, rows: ArrayLike<number>, figures: Float32Array): void {
  const count = rows.length;
  for (let place = 0; place < count; place++) {
    const row = rows[place] as number;
    losses[row] = figures[place] as number;
    if (correct) correct[row] = figures[count + place] as number;
    if (confidence) confidence[row] = figures[2 * count + place] as number;
  }
}
