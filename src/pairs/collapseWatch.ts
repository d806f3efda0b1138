import {checkNotNegative, checkOptionNames, checkRatio, typeError} from '../checks';
import {COLLAPSED, collapseRule} from '../collapse';

const NAME = 'collapseWatch';

/** Log names of `embeddingSpread`, validation first. */
const SPREADS = ['val_embeddingSpread', 'embeddingSpread'];

export interface CollapseWatchOptions {
  /** Margin of the loss: its value if all embeddings are one point. Omit for losses without one. */
  margin?: number;
  /** Share of the largest spread so far that marks a collapse below it, in (0, 1]. Default 0.1. */
  share?: number;
}

/** A callback of the trainers. */
export interface CollapseWatch {
  onEpochEnd(epoch: number, logs?: Record<string, unknown>): void;
  /**
   * Records a spread, and the mean loss, in a loop of your own.
   *
   * @param place  the position for the warning: `'step 40'`.
   */
  note(place: string, spread: number, loss?: number): void;
  /** Latest spread divided by the largest one so far; undefined before the first epoch. */
  readonly spread: number | undefined;
  /** Whether the embeddings have collapsed. */
  readonly hasCollapsed: boolean;
}

/**
 * Builds a callback that warns once if embeddings collapse to a point.
 *
 *     collapsed: spread < share · largest spread so far and loss ≥ margin / 2,
 *                or |loss − margin| ≤ 0.02 · margin and spread < share
 *
 * Without a margin, or in `note` without a loss, the spread alone decides. A loss below half the
 * margin means that the classes are apart, even if embeddings that are not normalised have shrunk.
 *
 * For `fit` and loops of your own: `fitOhem` and `fitOhemDataset` warn without it, by the same rule
 * with `share` 0.1, if the loss is a pair loss. As a callback it reads `embeddingSpread` from the
 * logs, so add that to the metrics of the model. In a loop of steps, pass the `spread` of a report
 * to `note`. From random weights `batchHard` often collapses, but `semiHard` does not.
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
