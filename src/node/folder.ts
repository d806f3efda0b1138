import {realpathSync} from 'node:fs';
import {mkdir, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {typeError} from '../checks';

/**
 * Makes a folder and those above it, one by one: the recursive `mkdir` of Node never ends for a path
 * such as `/proc/run`, in a folder in which nothing can be made.
 */
export async function makeFolder(where: string, folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (found) throw notAFolder(where, folder);
  if (dirname(folder) !== folder) await makeFolder(where, dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another writer may have made it in the meantime.
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Words the error about a file in the place of a folder. */
export function notAFolder(where: string, path: string): TypeError {
  return typeError(where, 'folder', 'be the path of a folder', `a file, ${path}`);
}

/** One spelling for every path to the same file: absolute, with each link that exists resolved. */
export function truePath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(truePath(parent), basename(absolute));
  }
}
