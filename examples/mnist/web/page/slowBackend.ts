import type {Backend} from '../../experiment/results';
import type {Offer} from '../protocol';
import {BACKEND_NAMES} from './backendNames';

/**
 * Says that a backend is slow on this machine, why, and which one is quicker; nothing if it is not
 * slow.
 */
export function slowBackend(chosen: Backend, offers: readonly Offer[]): string {
  const name = BACKEND_NAMES[chosen];
  const quicker = offers.find(({available, backend, isSoftware}) => {
    return available && backend !== chosen && !isSoftware && backend !== 'cpu';
  });
  const instead = quicker ? ` ${BACKEND_NAMES[quicker.backend]} is quicker here.` : '';
  if (offers.some(({backend, isSoftware}) => backend === chosen && isSoftware)) {
    return `${name} has no GPU on this machine: the processor renders in its place, and each step may take seconds.${instead}`;
  }
  if (chosen === 'cpu') return `${name} is plain JavaScript: each step may take seconds.${instead}`;
  return '';
}
