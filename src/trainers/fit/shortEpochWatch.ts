import type {Place} from '../../data/batchSource';
import type {StepSettings} from '../step/options';

/**
 * Builds a check that warns once, at the end of an epoch, if it had fewer batches than one update
 * accumulates. Before the epoch, their number is unknown for some datasets and with a sampler.
 */
export function shortEpochWatch({where, accumulate}: StepSettings) {
  let hasWarned = false;
  return ({epoch, batch}: Place): void => {
    if (hasWarned || batch >= accumulate) return;
    hasWarned = true;
    console.warn(
      `${where}: accumulate is ${accumulate}, but epoch ${epoch} has ${batch} batch${batch === 1 ? '' : 'es'}, which ` +
        'made its only update. Pass a smaller accumulate for updates of one size.',
    );
  };
}
