import type {DigitData} from './digits';
import {type DownloadOptions, downloadIdxFile} from './download';
import {readIdxSets} from './idxSets';
import {type IdxFiles, MNIST_FILES, MNIST_MIRRORS} from './mnistFiles';

/**
 * Downloads MNIST for this time only: a page leaves the keeping to the browser's cache.
 *
 * @throws DownloadError if no mirror gives a file; `onMessage` got the reason.
 */
export async function downloadedDigits(
  {
    onMessage,
    fetch,
    mirrors = MNIST_MIRRORS,
  }: Pick<DownloadOptions, 'onMessage' | 'fetch'> & {mirrors?: readonly string[]},
  files: IdxFiles = MNIST_FILES,
): Promise<DigitData> {
  const sets = await readIdxSets(files, async (file) => {
    onMessage(`Downloading ${file.name} …`);
    const {bytes} = await downloadIdxFile(file, {mirrors, onMessage, ...(fetch && {fetch})});
    return {path: file.name, bytes};
  });
  return {...sets, source: 'download', description: 'MNIST, downloaded just now'};
}
