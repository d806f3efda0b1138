import {drawnWarning} from '../../report/drawnWarning';
import type {DataSummary} from '../protocol';
import {element} from './element';
import {showNote} from './note';

const count = (number: number) => number.toLocaleString('en-US');

/** Names the digits that are in use, and says what drawn ones stand for. */
export function showSource({source, description, trainCount, testCount}: DataSummary): void {
  const text = source === 'drawn' ? 'Digits drawn by this page' : description;
  element('source', HTMLParagraphElement).textContent =
    `${text}; ${count(trainCount)} to train on, ${count(testCount)} to test`;
  showNote('drawn', drawnWarning(source));
}
