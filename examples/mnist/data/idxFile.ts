import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {gunzip} from 'node:zlib';
import type {IdxFile} from './mnistFiles';

/** An IDX file as read: its path, and its decompressed bytes. */
export interface ReadIdxFile {
  path: string;
  bytes: Uint8Array;
}

/** The names under which a file is looked for, in this order: MNIST goes around gzipped or not, and as `x.idx3-ubyte`. */
export function idxFileNames({name}: IdxFile): string[] {
  const dotted = name.replace('-idx', '.idx');
  return [`${name}.gz`, name, `${dotted}.gz`, dotted];
}

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

/**
 * Gives the bytes of a file, unzipped if they are gzipped: by what they start with, not by the name, which may lie.
 *
 * @param name  what errors call it.
 * @throws Error if the gzip file is damaged.
 */
export async function decompressed(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  if (!isGzipped(bytes)) return bytes;
  try {
    return await promisify(gunzip)(bytes);
  } catch (error) {
    throw new Error(
      `decompressed: ${name} must be a whole gzip file, got a damaged one (${(error as Error).message}). ` +
        'Get the file again.',
      {cause: error},
    );
  }
}

export const isGzipped = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
