import {access} from 'node:fs/promises';
import {join} from 'node:path';
import {quotedForShell} from '../report/quotedForShell';
import {isFinished, readCheckpoint, whereabouts} from './checkpoint';
import {DEFAULT_OUT} from './defaults';
import {FailedError, UsageError} from './errors';
import type {Options} from './options';

/**
 * Chooses the folder of a new experiment without overwriting another one.
 *
 *     --fresh:   the folder, whatever its contents
 *     --out:     the folder, if it contains no experiment
 *     neither:   the first of mnist-results, mnist-results-2, … without a finished experiment
 *
 * @param preset  the folder without `--out`.
 * @throws UsageError if an experiment would be lost; FailedError if a checkpoint cannot be read.
 */
export async function freeFolder(
  {out, fresh}: Pick<Options, 'out' | 'fresh'>,
  preset: string = DEFAULT_OUT,
): Promise<string> {
  if (fresh) return out ?? preset;
  if (out !== undefined) {
    if (!(await holdsFinished(out))) return out;
    throw new UsageError(
      `mnist: --out must not hold a finished experiment, got one in ${out}. ` +
        'Name another folder, or lose it with --fresh.',
    );
  }
  let folder = preset;
  for (let number = 2; await holdsFinished(folder); number++) folder = `${preset}-${number}`;
  return folder;
}

/** @throws UsageError if it holds an unfinished experiment. */
async function holdsFinished(folder: string): Promise<boolean> {
  const checkpoint = await readCheckpoint(folder).catch((error: Error) => {
    throw new FailedError(`${error.message} It is lost with --fresh.`, {cause: error});
  });
  // The user may have removed the checkpoint of a finished experiment, which is large, and kept the
  // results.
  if (!checkpoint) return isThere(join(folder, 'results.json'));
  if (isFinished(checkpoint)) return true;
  const typed = quotedForShell(folder);
  throw new UsageError(
    `mnist: --out must not hold an unfinished experiment, got one in ${folder} (${whereabouts(checkpoint)}). ` +
      `Resume with --resume ${typed}, or lose it with --fresh.`,
  );
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
