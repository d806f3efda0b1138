import {checkFileName, idxFileNamed, missingFiles} from '../../data/chosenFiles';
import type {DataRequest} from '../protocol';
import {element} from './element';
import {onDroppedFiles} from './fileDrop';

/**
 * Which digits to train on: drawn ones, MNIST from the network, or files that were picked or
 * dropped.
 */
export interface DataChoice {
  kind(): DataRequest['kind'];
  /** Selects a kind. @returns whether there is one of that name. */
  choose(kind: string): boolean;
  /** @throws Error if files are wanted and some of the four are not there. */
  request(): DataRequest;
  drawn: HTMLInputElement;
  /** Says beside the files what is wrong, where it is they that are wanted. */
  complain(message: string): void;
}

const KINDS = ['drawn', 'download', 'files'] as const;

export interface DataChoiceOptions {
  /** Told when all four files are there. */
  onFiles: (request: DataRequest) => void;
  /** Told which file is wrong, and why. */
  onError: (message: string) => void;
}

export function dataChoice({onFiles, onError}: DataChoiceOptions): DataChoice {
  const field = element('data-field', HTMLFieldSetElement);
  const picker = element('files', HTMLInputElement);
  const said = element('files-said', HTMLParagraphElement);
  const drawn = element('digits', HTMLInputElement);
  const radio = (value: string) => field.querySelector(`input[value="${value}"]`) as HTMLInputElement;
  const files = new Map<string, File>();

  function take(chosen: readonly File[]): void {
    if (chosen.length === 0) return;
    if (field.disabled) {
      onError('The digits cannot be changed during a training run. Reset it first.');
      return;
    }
    try {
      for (const {name} of chosen) checkFileName(name);
    } catch (error) {
      onError((error as Error).message);
      return;
    }
    for (const file of chosen) files.set(idxFileNamed(file.name)?.name ?? '', file);
    radio('files').checked = true;
    const missing = missingFiles([...files.keys()]);
    said.textContent =
      missing.length > 0
        ? `${files.size} of 4; still missing: ${missing.map(({name}) => name).join(', ')}`
        : 'All four files are chosen.';
    if (missing.length === 0) onFiles({kind: 'files', files: [...files.values()]});
  }

  picker.addEventListener('change', () => {
    take([...(picker.files ?? [])]);
    // The same files may be chosen again, once they are mended.
    picker.value = '';
  });
  onDroppedFiles(take);
  const kind = () => (radio('download').checked ? 'download' : radio('files').checked ? 'files' : 'drawn');

  return {
    kind,
    choose(wanted) {
      const found = KINDS.find((each) => each === wanted);
      if (found) radio(found).checked = true;
      return found !== undefined;
    },
    request() {
      if (kind() === 'download') return {kind: 'download'};
      if (kind() === 'drawn') return {kind: 'drawn', count: drawn.valueAsNumber};
      const missing = missingFiles([...files.keys()]);
      if (missing.length === 0) return {kind: 'files', files: [...files.values()]};
      throw new Error(`Choose the four files first; still missing: ${missing.map(({name}) => name).join(', ')}.`);
    },
    drawn,
    complain(message) {
      if (radio('files').checked) said.textContent = message;
    },
  };
}
