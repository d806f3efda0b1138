import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {decompressed} from './gzip';
import {idxFileNames} from './idxFileNames';
import type {ReadIdxFile} from './idxSets';
import type {IdxFile} from './mnistFiles';

/**
 * Reads a file from a folder, under the first of its names that is there.
 *
 * @returns undefined if none is.
 * @throws Error if it cannot be read or decompressed.
 */
export async function readIdxFile(folder: string, file: IdxFile): Promise<ReadIdxFile | undefined> {
  for (const name of idxFileNames(file)) {
    const path = join(folder, name);
    const stored = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw new Error(`readIdxFile: ${path} must be a file that can be read, got ${error.message}.`, {cause: error});
    });
    if (stored) return {path, bytes: await decompressed(stored, path)};
  }
  return undefined;
}
