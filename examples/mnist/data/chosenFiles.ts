import {comparedSets} from './comparedSets';
import type {DigitData} from './digits';
import {decompressed} from './gzip';
import {idxFileNames} from './idxFileNames';
import {idxLimit, LARGEST_IDX_FILE} from './idxLimit';
import {type IdxFile, type IdxFiles, MNIST_FILES} from './mnistFiles';

/**
 * Which of the four files one is, by its name; undefined if by none. Capitals, and the number that
 * a second download gets, do not matter.
 */
export function idxFileNamed(fileName: string, files: IdxFiles = MNIST_FILES): IdxFile | undefined {
  const plain = fileName.toLowerCase().replace(/ ?\(\d+\)/, '');
  return Object.values(files).find((file: IdxFile) => idxFileNames(file).includes(plain));
}

/** Those of the four files that are not among the ones of these names. */
export function missingFiles(fileNames: readonly string[], files: IdxFiles = MNIST_FILES): IdxFile[] {
  const given = fileNames.map((name) => idxFileNamed(name, files));
  return Object.values(files).filter((file: IdxFile) => !given.includes(file));
}

/**
 * Reads the four files that somebody picked or dropped, gzipped or not, of MNIST or another set in
 * its format.
 *
 * @throws Error that names the file that is none of the four, missing, or damaged.
 */
export async function digitsFromFiles(chosen: readonly File[], files: IdxFiles = MNIST_FILES): Promise<DigitData> {
  for (const {name} of chosen) checkFileName(name, files);
  const [missing] = missingFiles(
    chosen.map(({name}) => name),
    files,
  );
  if (missing) {
    throw new Error(
      `digitsFromFiles: files must hold ${missing.name}.gz, got none of that name. Choose it too, gzipped or not.`,
    );
  }
  const {train, test, description} = await comparedSets(files, 'the files that you chose', async (file) => {
    const found = chosen.find(({name}) => idxFileNamed(name, files) === file) as File;
    const limitOf = (beginning: Uint8Array) => idxLimit(beginning, LARGEST_IDX_FILE, found.name);
    const stored = new Uint8Array(await found.arrayBuffer());
    return {path: found.name, bytes: await decompressed(stored, found.name, limitOf)};
  });
  return {train, test, source: 'files', description};
}

/** @throws Error if a file is none of the four by its name. */
export function checkFileName(name: string, files: IdxFiles = MNIST_FILES): void {
  if (idxFileNamed(name, files)) return;
  const names = Object.values(files).map((file: IdxFile) => file.name);
  throw new Error(
    `digitsFromFiles: files must be ${names.join(', ')}, gzipped or not, got ${name}. Choose those four, and no other.`,
  );
}
