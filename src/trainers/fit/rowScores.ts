/** @file What is known of each row of a data set: its last loss, and how it was predicted. */

import {where as chooseEach, clone, concat, fill, keep, type Tensor1D, tidy} from '@tensorflow/tfjs-core';
import type {BatchSource, Place} from '../../data/batchSource';
import {keepingStates} from '../../models/model';
import type {RowScores, Sampler} from '../../types';
import {type Forward, inferred} from '../step/backward';
import {type StepBatch, stepBatch} from '../step/batch';
import type {StepSettings} from '../step/options';
import {classScorer} from './classScores';

/** What of a batch and its forward pass the scores are computed from. */
type Seen = Pick<StepBatch, 'finite' | 'count' | 'ys'>;
type Scorable = Pick<Forward, 'raw' | 'predictions'>;

/** What goes on between two batches. */
export interface Pauses {
  isStopped: () => boolean;
  afterBatch: () => Promise<void>;
}

/** The scores of the rows of a data set, and how they come to be. */
export type ScoredRows = ReturnType<typeof scoredRows>;

/** How many batches are run forward at once if nothing has to be held for a backward pass. */
const BATCHES_AT_ONCE = 4;

/** The scores of a data set with `size` rows, none of which was seen yet. */
export function unseenRows(size: number, needs: Sampler['needs'] = []): RowScores {
  return {
    losses: new Float32Array(size).fill(Number.NaN),
    ...(needs.includes('correct') && {correct: new Uint8Array(size)}),
    ...(needs.includes('confidence') && {confidence: new Float32Array(size).fill(Number.NaN)}),
  };
}

/**
 * Keeps the scores of rows up to date, from the forward pass of each step and from rows that are run
 * forward for that alone. Losses are those before sample, class and sampler weights.
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
    /** Enters the figures of rows, as they were read. */
    enter: (rows: ArrayLike<number>, figures: Float32Array) => enterScores(scores, rows, figures),
    /** Holds what a step saw of its rows, to be read with its other figures. */
    note(batch: Seen, forward: Scorable): void {
      noted?.dispose();
      noted = keep(figuresOf(batch, forward));
    },
    /** What was noted since the last call, which is the caller's to dispose. */
    takeNoted(): Tensor1D | undefined {
      const taken = noted;
      noted = undefined;
      return taken;
    },
    /** Runs some rows forward in inference mode; `isStopped` ends it. No state of the model moves. */
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

/** Figures of rows, and `unknown` for those in whose place another was computed. */
function ofFinite({finite, count}: Seen, figures: Tensor1D, unknown: number): Tensor1D {
  return finite ? chooseEach(finite, figures, fill([count], unknown)) : figures;
}

/** Enters losses, then for classes 1 where they are right, then the probabilities: `[rows]` or `[3 · rows]` figures. */
function enterScores({losses, correct, confidence}: RowScores, rows: ArrayLike<number>, figures: Float32Array): void {
  const count = rows.length;
  for (let place = 0; place < count; place++) {
    const row = rows[place] as number;
    losses[row] = figures[place] as number;
    if (correct) correct[row] = figures[count + place] as number;
    if (confidence) confidence[row] = figures[2 * count + place] as number;
  }
}
