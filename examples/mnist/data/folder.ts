import {stat} from 'node:fs/promises';
import {comparedSets} from './comparedSets';
import type {DigitData} from './digits';
import {readIdxFile} from './idxFile';
import {idxFileNames} from './idxFileNames';
import {LARGEST_IDX_FILE} from './idxLimit';
import type {IdxFiles} from './mnistFiles';

/**
 * Reads the digits in a folder that somebody named: as nothing else will do in its place, whatever
 * is wrong is an error.
 *
 * @param anyDigits takes files whose checksums differ, as those of another data set do; the
 *   description says so.
 * @throws Error that names the file that is missing, damaged, or not the one it should be.
 */
export async function digitsFromFolder(folder: string, files: IdxFiles, anyDigits: boolean): Promise<DigitData> {
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) {
    throw new Error(
      `loadDigits: folder must be a folder that can be read, got '${folder}'. ` +
        'Give the one with the four IDX files, or none to use MNIST from the cache or a download.',
    );
  }
  const {train, test, others, description} = await comparedSets(files, folder, async (file) => {
    const read = await readIdxFile(folder, file, anyDigits ? LARGEST_IDX_FILE : file.size);
    if (read) return read;
    const [name, ...otherNames] = idxFileNames(file);
    throw new Error(
      `loadDigits: folder must hold ${name}, got '${folder}' without it. ` +
        `Put it there (${otherNames.join(', ')} will do too), or give no folder to use the cache or a download.`,
    );
  });
  const [other] = others;
  if (other && !anyDigits) {
    throw new Error(
      `loadDigits: ${other.path} must have the SHA-256 ${other.due} when decompressed, got ${other.got}. ` +
        'Get the file again, or pass anyDigits: true (--any-digits) if it is of another data set in this format.',
    );
  }
  return {train, test, source: 'folder', description};
}
