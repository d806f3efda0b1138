import {element} from './element';

/** The button that shows all digits of the wall of the batch, or the hardest of them. */
export function wallFold(): void {
  const wall = element('wall', HTMLOListElement);
  const button = element('wall-more', HTMLButtonElement);
  button.addEventListener('click', () => {
    const isFew = wall.classList.toggle('few');
    button.setAttribute('aria-expanded', String(!isFew));
    button.textContent = isFew ? 'Show all 64' : 'Show fewer';
  });
}
