import {element} from './element';

/** A message that stays until it is dismissed; screen readers say it at once. */
export interface Trouble {
  show(message: string): void;
  clear(): void;
}

export function trouble(): Trouble {
  const place = element('trouble', HTMLDivElement);
  const text = place.querySelector('p') as HTMLParagraphElement;
  const clear = () => {
    place.hidden = true;
    text.textContent = '';
  };
  place.querySelector('button')?.addEventListener('click', clear);
  return {
    show(message) {
      place.hidden = false;
      text.textContent = message;
    },
    clear,
  };
}
