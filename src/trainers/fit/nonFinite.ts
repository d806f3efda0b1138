import {rangeError} from '../../checks';
import type {Place} from '../../data/batchSource';
import type {StepFigures} from './minedStep';

/** How many rows a message names. */
const NAMED = 10;

/** Looks after rows whose loss is not finite: warns of the first ones, and refuses a batch in which there are no others. */
export function nonFiniteWatch(where: string): (figures: StepFigures, place: Place) => void {
  let hasWarned = false;
  return ({nonFinite, hasFinite}, {epoch, batch}) => {
    if (nonFinite.length === 0) return;
    const rows = `${nonFinite.slice(0, NAMED).join(', ')}${nonFinite.length > NAMED ? ', …' : ''}`;
    if (!hasFinite) {
      const got = `none in epoch ${epoch}, batch ${batch} (rows ${rows})`;
      const remedy = 'The weights are those before this batch. Look for NaN in these rows, or lower the learning rate.';
      throw rangeError(where, 'loss', 'be finite for at least one row of each batch', got, remedy);
    }
    if (hasWarned) return;
    hasWarned = true;
    console.warn(
      `${where}: rows ${rows} have a loss that is not finite (epoch ${epoch}, batch ${batch}). They are left out, as will be all others like them.`,
    );
  };
}
