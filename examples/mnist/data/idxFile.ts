import {join} from 'node:path';
import {readWholeFile} from '../node/wholeFile';
import {decompressed} from './gzip';
import {idxFileNames} from './idxFileNames';
import {idxLimit} from './idxLimit';
import type {ReadIdxFile} from './idxSets';
import type {IdxFile} from './mnistFiles';

/**
 * Reads a file from a folder, under the first of its names that is there.
 *
 * @param largest  the size limit of the decompressed file; reading and unpacking stop there.
 * @returns undefined if none is there.
 * @throws Error if it is no regular file, larger, or cannot be read or decompressed.
 */
export async function readIdxFile(
  folder: string,
  file: IdxFile,
  largest: number = file.size,
): Promise<ReadIdxFile | undefined> {
  for (const name of idxFileNames(file)) {
    const path = join(folder, name);
    const stored = await readWholeFile(path, largestGzip(largest));
    if (stored)
      return {path, bytes: await decompressed(stored, path, (beginning) => idxLimit(beginning, largest, path))};
  }
  return undefined;
}

/**
 * What cannot be compressed grows in a gzip file: by 5 bytes for each block, the header and the
 * name.
 */
const largestGzip = (bytes: number): number => Math.ceil(1.001 * bytes) + 4096;
