import type {Digits} from './digits';
import {parseDigits} from './idx';
import type {IdxFile, IdxFiles} from './mnistFiles';

/** An IDX file as read: its path, and its decompressed bytes. */
export interface ReadIdxFile {
  path: string;
  bytes: Uint8Array;
}

/** Reads the four files, one after the other, and parses them; what `read` throws ends it. */
export async function readIdxSets(
  files: IdxFiles,
  read: (file: IdxFile) => Promise<ReadIdxFile>,
): Promise<{train: Digits; test: Digits}> {
  const trainImages = await read(files.trainImages);
  const trainLabels = await read(files.trainLabels);
  const testImages = await read(files.testImages);
  const testLabels = await read(files.testLabels);
  return {train: digitsOf(trainImages, trainLabels), test: digitsOf(testImages, testLabels)};
}

const digitsOf = (images: ReadIdxFile, labels: ReadIdxFile): Digits =>
  parseDigits(images.bytes, labels.bytes, {images: images.path, labels: labels.path});
