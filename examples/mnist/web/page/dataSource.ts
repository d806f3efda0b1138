import {drawnWarning} from '../../report/drawnWarning';
import type {DataSummary} from '../protocol';
import {element} from './element';

const count = (number: number) => number.toLocaleString('en-US');

/** Names the digits that are in use; loudly, where they are not MNIST's. */
export function showSource({source, description, trainCount, testCount}: DataSummary): void {
  const text = source === 'drawn' ? 'Digits drawn by this page' : description;
  element('source', HTMLParagraphElement).textContent =
    `${text}; ${count(trainCount)} to train on, ${count(testCount)} to test`;
  const warning = element('drawn', HTMLParagraphElement);
  const sentences = drawnWarning(source);
  warning.textContent = sentences.join(' ');
  warning.hidden = sentences.length === 0;
}
