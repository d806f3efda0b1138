import {join} from 'node:path';
import {writeFileAtomically} from '../node/atomicWrite';
import type {DigitData} from './digits';
import type {Download} from './download';
import {readIdxFile} from './idxFile';
import {type ReadIdxFile, readIdxSets} from './idxSets';
import type {IdxFile, IdxFiles} from './mnistFiles';
import {sha256} from './sha256';

export interface DigitsFromCacheOptions {
  files: IdxFiles;
  /** Gets a file that the cache lacks. */
  download: (file: IdxFile) => Promise<Download>;
  onMessage: (message: string) => void;
}

/**
 * Reads MNIST from the cache, and downloads what it lacks into it.
 *
 * A cached file that is damaged is downloaded again. A cache that cannot be written is no obstacle:
 * `onMessage` gets the reason.
 *
 * @throws what `download` throws.
 */
export async function digitsFromCache(
  folder: string,
  {files, download, onMessage}: DigitsFromCacheOptions,
): Promise<DigitData> {
  let downloads = 0;
  const digits = await readIdxSets(files, async (file) => {
    const cached = await readCached(folder, file, onMessage);
    if (cached) return cached;
    const {bytes, gzipped} = await download(file);
    downloads++;
    const path = join(folder, `${file.name}.gz`);
    await writeFileAtomically(path, gzipped).catch((error: Error) =>
      onMessage(`Cannot keep ${file.name} in the cache: ${error.message}.`),
    );
    return {path, bytes};
  });
  return downloads === 0
    ? {...digits, source: 'cache', description: 'MNIST from the cache'}
    : {...digits, source: 'download', description: 'MNIST, downloaded just now'};
}

async function readCached(
  folder: string,
  file: IdxFile,
  onMessage: (message: string) => void,
): Promise<ReadIdxFile | undefined> {
  try {
    const read = await readIdxFile(folder, file);
    if (!read) return undefined;
    const got = await sha256(read.bytes);
    if (got === file.sha256) return read;
    onMessage(`Cannot use the cached ${read.path}: its SHA-256 must be ${file.sha256}, got ${got}.`);
  } catch (error) {
    onMessage(`Cannot use the cache: ${(error as Error).message}`);
  }
  return undefined;
}
