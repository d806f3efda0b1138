/** @file Samplers that choose what a test says. */
import type {EpochRows, RowScores, Sampler} from 'ohem-tfjs';

/** What a sampler was called with, copied. */
export interface Seen {
  epoch: number;
  losses: number[];
  correct?: number[] | undefined;
  confidence?: number[] | undefined;
}

interface TinyState {
  size: number;
  chosen: number;
  /** Grows by the sums of losses, so that it matters. */
  sums: Float32Array;
}

type Choice = Partial<EpochRows> & {rows?: Int32Array};

/** All rows of a data set. */
export const allRows = (size: number): Int32Array => Int32Array.from({length: size}, (_, row) => row);

/**
 * A sampler that chooses what `choose` says, all rows if it says none, and notes what it was shown.
 */
export function tinySampler(
  choose: (at: {epoch: number; epochs: number; scores: RowScores; size: number}) => Choice = () => ({}),
  needs?: Sampler['needs'],
): Sampler<TinyState> & {chosen: {epoch: number; epochs: number}[]; seen: Seen[]} {
  const chosen: {epoch: number; epochs: number}[] = [];
  const seen: Seen[] = [];
  return {
    samplerName: 'tiny',
    ...(needs && {needs}),
    chosen,
    seen,
    init: (size) => ({size, chosen: 0, sums: new Float32Array(size)}),
    choose({size}, {epoch, epochs, scores}) {
      chosen.push({epoch, epochs});
      return {rows: allRows(size), ...choose({epoch, epochs, scores, size})};
    },
    next({size, chosen: before, sums}, {epoch, scores: {losses, correct, confidence}}) {
      seen.push({
        epoch,
        losses: [...losses],
        correct: correct && [...correct],
        confidence: confidence && [...confidence],
      });
      return {size, chosen: before + 1, sums: sums.map((sum, row) => sum + (losses[row] || 0))};
    },
  };
}

/**
 * Chooses every row but those whose number divided by `of` leaves `epoch % of`; doubles the weight
 * of even rows.
 */
export const rotating = (of = 3) =>
  tinySampler(({epoch, size, scores}) => {
    const rows = allRows(size).filter((row) => row % of !== epoch % of);
    // What was scored in earlier epochs decides, so that scores matter.
    const mean = scores.losses.reduce((sum, loss) => sum + (loss || 0), 0) / size;
    const weights = Float32Array.from(rows, (row) => ((scores.losses[row] ?? 0) < mean ? 2 : 1));
    const rescore = allRows(size).filter((row) => row % of === epoch % of);
    return {rows, weights, rescore, learningRateFactor: 1 + epoch / 10};
  });
