import type {Digits} from './digits';
import {type ReadIdxFile, readIdxSets} from './idxSets';
import type {IdxFile, IdxFiles} from './mnistFiles';
import {sha256} from './sha256';

/** A file whose checksum is not the one that it should have. */
export interface OtherFile {
  name: string;
  path: string;
  due: string;
  got: string;
}

/**
 * Reads the four files that somebody gave, and compares them with those that they should be.
 *
 * A file that differs is parsed all the same: parsing knows better what is wrong with it than a
 * checksum does.
 *
 * @param where  they come from, for the description.
 * @returns the sets, the files that differ, and a description that says MNIST of nothing else.
 * @throws what `read` and parsing throw.
 */
export async function comparedSets(
  files: IdxFiles,
  where: string,
  read: (file: IdxFile) => Promise<ReadIdxFile>,
): Promise<{train: Digits; test: Digits; others: OtherFile[]; description: string}> {
  const others: OtherFile[] = [];
  const sets = await readIdxSets(files, async (file) => {
    const found = await read(file);
    const got = await sha256(found.bytes);
    if (got !== file.sha256) others.push({name: file.name, path: found.path, due: file.sha256, got});
    return found;
  });
  const differing = others.map(({name}) => name).join(', ');
  const description =
    others.length === 0
      ? `MNIST from ${where}`
      : `IDX files from ${where}, NOT the original MNIST: the checksum differs for ${differing}`;
  return {...sets, others, description};
}
