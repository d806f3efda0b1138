import {randomUUID} from 'node:crypto';
import {mkdir, rm, rmdir, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {REPORT_FILES} from '../report/reportFiles';
import {checkpointPath} from './checkpoint';
import {FailedError, messageOf} from './errors';

/**
 * Writes a file into the folder of the results and removes it again, and the folders that it made
 * for that: what cannot be written is known before anything is trained.
 *
 * @throws FailedError if it cannot be written, or a folder is in the place of one of the files.
 */
export async function checkWritable(folder: string): Promise<void> {
  try {
    const made = await mkdir(folder, {recursive: true});
    const trial = join(folder, `${randomUUID()}.tmp`);
    await writeFile(trial, 'x', {flag: 'wx', flush: true}).finally(() => rm(trial, {force: true}));
    if (made !== undefined) await removeEmpty(folder, made);
    else await checkFiles(folder);
  } catch (error) {
    if (error instanceof FailedError) throw error;
    const constraint = 'be a folder that can be written to';
    throw new FailedError(`mnist: --out must ${constraint}, got ${folder} (${messageOf(error)}).`, {cause: error});
  }
}

async function checkFiles(folder: string): Promise<void> {
  for (const path of [checkpointPath(folder), ...REPORT_FILES.map((name) => join(folder, name))]) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) {
      throw new FailedError(`mnist: ${path} must be a file that can be replaced, got a folder. Move it elsewhere.`);
    }
  }
}

/** Removes the created folders, except those that another process has filled meanwhile. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let path = folder; path.startsWith(last); path = dirname(path)) {
    await rmdir(path).catch(() => {});
  }
}
