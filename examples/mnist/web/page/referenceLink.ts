import {DEFAULTS} from '../../experiment/defaults';
import {addressOf} from './address';
import {element} from './element';

/** As many digits as MNIST has to train on. */
const DIGITS = 60_000;

/** What the command line trains, for an address that leaves something open. */
export const EXPERIMENT = {...DEFAULTS, digits: DIGITS};

/** Links to the runs of the command line. */
export function referenceLink(): void {
  const runs = EXPERIMENT.runs.map((name) => name.replace(' ', '-')).join(',');
  element('reference', HTMLAnchorElement).href = addressOf({runs, digits: String(EXPERIMENT.digits)});
}
