import {checkNotNegative, checkOptionNames, checkRatio, typeError} from '../checks';
import {COLLAPSED, collapseRule} from '../collapse';

const NAME = 'collapseWatch';

/** The figures that `embeddingSpread` is logged under, that of the validation first. */
const SPREADS = ['val_embeddingSpread', 'embeddingSpread'];

export interface CollapseWatchOptions {
  /** The margin of the loss, at which it stays if all embeddings are one point. Omit for losses without one. */
  margin?: number;
  /** Share of the largest spread so far below which embeddings have collapsed, in (0, 1]. Default 0.1. */
  share?: number;
}

/** A callback of the trainers. */
export interface CollapseWatch {
  onEpochEnd(epoch: number, logs?: Record<string, unknown>): void;
  /**
   * Notes a spread in a loop of your own, and the mean loss.
   *
   * @param place  how a warning names the moment: `'step 40'`.
   */
  note(place: string, spread: number, loss?: number): void;
  /** The spread by the largest one so far; undefined before the first epoch. */
  readonly spread: number | undefined;
  /** Whether the embeddings have collapsed. */
  readonly hasCollapsed: boolean;
}

/**
 * Builds a callback that warns once if embeddings collapse to a point, for `fit` and loops of your own.
 *
 *     collapsed: spread < share · largest spread so far,  or  |loss − margin| ≤ 0.02 · margin and spread < share
 *
 * `fitOhem` and `fitOhemDataset` warn by themselves, by the same rule with `share` 0.1, if the loss is
 * one of pairs. As a callback this reads the logs of `embeddingSpread`, so put that among the metrics of
 * the model; in a loop of steps, `note` takes the `spread` of a report. From random weights, mining by
 * `batchHard` often collapses, where `semiHard` does not.
 *
 * @param options  `margin`, `share`.
 * @returns a callback with `note`, `spread` and `hasCollapsed`.
 * @throws RangeError or TypeError for a wrong option; from `onEpochEnd`, if the logs have no
 *   `embeddingSpread`.
 *
 * @example
 * const watch = collapseWatch({margin: 0.2});
 * watch.onEpochEnd(0, {loss: 0.3, embeddingSpread: 1});
 * watch.onEpochEnd(1, {loss: 0.25, embeddingSpread: 0.5});
 * watch.spread;   // 0.5
 * watch.hasCollapsed;   // false
 */
export function collapseWatch(options: CollapseWatchOptions = {}): CollapseWatch {
  checkOptionNames(NAME, options, ['margin', 'share']);
  const {margin, share = COLLAPSED} = options;
  if (margin !== undefined) checkNotNegative(NAME, 'margin', margin);
  checkRatio(NAME, 'share', share);
  const rule = collapseRule({margin, share});
  const note = (place: string, spread: number, loss?: number) => {
    const warning = rule.note(NAME, place, spread, loss);
    if (warning !== undefined) console.warn(warning);
  };
  return {
    get spread() {
      return rule.relative();
    },
    get hasCollapsed() {
      return rule.hasCollapsed();
    },
    note,
    onEpochEnd: (epoch, logs = {}) => note(`epoch ${epoch}`, spreadIn(logs), Number(logs.loss)),
  };
}

function spreadIn(logs: Record<string, unknown>): number {
  const name = SPREADS.find((one) => typeof logs[one] === 'number');
  if (name !== undefined) return logs[name] as number;
  const remedy = 'Compile the model with metrics: [embeddingSpread()].';
  throw typeError(NAME, 'logs', 'have embeddingSpread', Object.keys(logs).join(', '), remedy);
}
