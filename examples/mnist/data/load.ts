import {digitsFromCache} from './cache';
import {defaultCacheFolder} from './cacheFolder';
import type {DigitData} from './digits';
import {DownloadError, downloadIdxFile} from './download';
import {drawnDigits} from './drawnData';
import {digitsFromFolder} from './folder';
import {type IdxFile, type IdxFiles, MNIST_FILES, MNIST_MIRRORS} from './mnistFiles';

export interface LoadDigitsOptions {
  /** A folder with the four files; if it is given, nothing else is tried. */
  folder?: string | undefined;
  /**
   * Takes files from `folder` whose checksums are not MNIST's: another data set in the same format.
   */
  anyDigits?: boolean | undefined;
  /** Where downloads are kept, and looked for first. */
  cacheFolder?: string | undefined;
  /** Whether what the cache lacks may be downloaded. */
  download?: boolean | undefined;
  /** Of the digits that are drawn when there are no others; integer from 0 to 2⁵² − 1. */
  seed?: number | undefined;
  /** Gets the progress, a sentence at a time. */
  onMessage?: ((message: string) => void) | undefined;
  /** How many digits are drawn when there are no others. */
  drawnCounts?: {train: number; test: number};
  /** What it stands on; tests put their own in place of MNIST and the network. */
  files?: IdxFiles;
  mirrors?: readonly string[];
  fetch?: typeof fetch;
}

/**
 * Finds digits to train and test on.
 *
 *     `folder` if given;  else MNIST from the cache;  else MNIST downloaded into it;  else digits drawn by the example
 *
 * Every file is checked by its SHA-256. A folder named by the user is never replaced: if it lacks
 * a file or has a damaged one, that is an error. Digits that are not MNIST's are described as such.
 *
 * @throws Error that names the file of `folder` that is missing, damaged or not MNIST's.
 *
 * @example
 * const {train, test, description} = await loadDigits({folder: './mnist'});
 */
export async function loadDigits({
  folder,
  anyDigits = false,
  cacheFolder = defaultCacheFolder(),
  download = true,
  seed = 1,
  onMessage = () => {},
  drawnCounts = {train: 60_000, test: 10_000},
  files = MNIST_FILES,
  mirrors = MNIST_MIRRORS,
  fetch = globalThis.fetch,
}: LoadDigitsOptions = {}): Promise<DigitData> {
  if (folder !== undefined) return digitsFromFolder(folder, files, anyDigits);
  const downloadFile = async (file: IdxFile) => {
    if (!download) throw new DownloadError('downloads are switched off');
    onMessage(`Downloading ${file.name} …`);
    return downloadIdxFile(file, {mirrors, fetch, onMessage});
  };
  try {
    return await digitsFromCache(cacheFolder, {files, onMessage, download: downloadFile});
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    return drawnDigits(drawnCounts, `no --data given, none in the cache, and ${error.message}`, seed);
  }
}
