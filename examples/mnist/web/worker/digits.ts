import {digitsFromFiles} from '../../data/chosenFiles';
import type {DigitData} from '../../data/digits';
import {downloadedDigits} from '../../data/downloadedDigits';
import {drawnDigits} from '../../data/drawnData';
import type {DataRequest} from '../protocol';

/**
 * Finds the digits that the page asks for, and keeps the last ones: another training run mostly
 * continues with them.
 */
export function digitShelf(): (request: DataRequest, onMessage: (text: string) => void) => Promise<DigitData> {
  let kept: {request: string; digits: DigitData} | undefined;
  return async (request, onMessage) => {
    const name = nameOf(request);
    if (kept?.request === name) return kept.digits;
    // So that there is never room needed for both.
    kept = undefined;
    const digits = await digitsFor(request, onMessage);
    kept = {request: name, digits};
    return digits;
  };
}

function nameOf(request: DataRequest): string {
  if (request.kind !== 'files') return JSON.stringify(request);
  return JSON.stringify(request.files.map(({name, size, lastModified}) => [name, size, lastModified]));
}

async function digitsFor(request: DataRequest, onMessage: (text: string) => void): Promise<DigitData> {
  if (request.kind === 'files') {
    onMessage('Reading the files …');
    return digitsFromFiles(request.files);
  }
  if (request.kind === 'drawn') {
    onMessage(`Drawing ${request.count.toLocaleString('en-US')} digits …`);
    return drawnDigits({train: request.count, test: Math.floor(request.count / 6)}, 'as chosen on the page');
  }
  const told: string[] = [];
  const note = (text: string) => {
    told.push(text);
    onMessage(text);
  };
  try {
    return await downloadedDigits({onMessage: note});
  } catch (error) {
    const reason = told.filter((text) => text.startsWith('Cannot')).at(-1) ?? (error as Error).message;
    throw new Error(
      `MNIST could not be downloaded. ${reason} Choose the four files from your disk, or train on drawn digits.`,
      {cause: error},
    );
  }
}
