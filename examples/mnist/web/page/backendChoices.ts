import type {Backend} from '../../experiment/results';
import type {Offer} from '../protocol';
import {BACKEND_NAMES} from './backendNames';
import {element, made} from './element';

/** The backends of this browser; those that it lacks say why. */
export interface BackendChoices {
  offer(offers: readonly Offer[]): void;
  chosen(): Backend;
  choose(backend: Backend): void;
}

/** @param onChoose  told when the user chooses one. */
export function backendChoices(onChoose: (backend: Backend) => void): BackendChoices {
  const place = element('backends', HTMLDivElement);
  let chosen: Backend = 'wasm';
  const boxes = new Map<Backend, HTMLInputElement>();
  return {
    offer(offers) {
      boxes.clear();
      place.replaceChildren(
        ...offers.map(({backend, available, note}) => {
          const label = made('label', '', available ? 'choice' : 'choice off');
          const box = made('input', '', 'tick');
          box.type = 'radio';
          box.name = 'backend';
          box.value = backend;
          box.disabled = !available;
          box.checked = backend === chosen;
          box.addEventListener('change', () => {
            chosen = backend;
            onChoose(backend);
          });
          boxes.set(backend, box);
          const text = made('span', BACKEND_NAMES[backend]);
          text.append(made('small', note));
          label.append(box, text);
          return label;
        }),
      );
    },
    chosen: () => chosen,
    choose(backend) {
      chosen = backend;
      const box = boxes.get(backend);
      if (box) box.checked = true;
    },
  };
}
