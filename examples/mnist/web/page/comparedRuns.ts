import type {Run} from '../../experiment/results';

/** The runs that a sentence compares; each but the first may be missing. */
export interface ComparedRuns {
  /** Keeps the hardest of a batch, and not all of it. */
  mined: Run;
  /** Learns from whole batches, of the same size if there is such a run. */
  full?: Run;
  /** Keeps as many of as many rows, by chance. */
  random?: Run;
}

const isMined = ({k, n, rule}: Run) => rule === 'hardest' && k < n;
const isFull = ({k, n}: Run) => k === n;

/**
 * Chooses a run that mines and those to compare it with: the preferred run if it mines, else the
 * one with most counterparts, the first of several. Undefined if no run mines.
 */
export function comparedRuns(runs: readonly Run[], preferred?: Run): ComparedRuns | undefined {
  const candidates = (preferred && isMined(preferred) ? [preferred] : runs.filter(isMined)).map((mined) => {
    const full = runs.find((run) => isFull(run) && run.n === mined.n) ?? runs.find(isFull);
    const random = runs.find(({n, k, rule}) => rule === 'random' && n === mined.n && k === mined.k);
    return {mined, ...(full && {full}), ...(random && {random})};
  });
  const counterparts = ({mined, full, random}: ComparedRuns) =>
    (random ? 2 : 0) + (full ? 1 : 0) + (full?.n === mined.n ? 1 : 0);
  return candidates.reduce<ComparedRuns | undefined>(
    (best, next) => (best && counterparts(best) >= counterparts(next) ? best : next),
    undefined,
  );
}
