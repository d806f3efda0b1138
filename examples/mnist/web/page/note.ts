import {element} from './element';

/** Shows sentences in a calm note of the page; the note disappears without any. */
export function showNote(id: string, sentences: readonly string[]): void {
  const place = element(id, HTMLParagraphElement);
  const text = sentences.filter((sentence) => sentence !== '').join(' ');
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === '';
}
