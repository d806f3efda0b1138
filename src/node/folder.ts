import {realpathSync} from 'node:fs';
import {mkdir, stat} from 'node:fs/promises';
import {basename, dirname, join, resolve} from 'node:path';
import {typeError} from '../checks';

/**
 * Creates a folder and its parents, one by one. The recursive `mkdir` of Node never returns for a
 * path such as `/proc/run`, whose parent allows no new entries.
 */
export async function makeFolder(where: string, folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (found) throw notAFolder(where, folder);
  if (dirname(folder) !== folder) await makeFolder(where, dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another writer may have created it in the meantime.
    if (error.code !== 'EEXIST') throw error;
  });
}

/** Builds the error for a file in place of a folder. */
export function notAFolder(where: string, path: string): TypeError {
  return typeError(where, 'folder', 'be the path of a folder', `a file, ${path}`);
}

/** Returns a canonical path: absolute, with each existing link resolved. */
export function truePath(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync.native(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(truePath(parent), basename(absolute));
  }
}
