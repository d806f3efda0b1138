import {checkNotNegative, checkOptionNames, checkRatio, typeError} from '../checks';

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
  /** The spread by the largest one so far; undefined before the first epoch. */
  readonly spread: number | undefined;
  /** Whether the embeddings have collapsed. */
  readonly hasCollapsed: boolean;
}

/** How near to the margin a loss is stuck there. */
const STUCK = 0.02;

/**
 * Builds a callback that warns once if embeddings collapse to a point.
 *
 *     collapsed: spread < share · largest spread so far,  or  |loss − margin| < 0.02 · margin and spread < 0.1
 *
 * It reads the logs of `embeddingSpread`, so put that among the metrics of the model; nothing is
 * computed. From random weights, mining by `batchHard` often collapses, where `semiHard` does not.
 *
 * @param options  `margin`, `share`.
 * @returns a callback for `fitOhem` and `fitOhemDataset`, with `spread` and `hasCollapsed`.
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
  const {margin, share = 0.1} = options;
  if (margin !== undefined) checkNotNegative(NAME, 'margin', margin);
  checkRatio(NAME, 'share', share);
  let [largest, hasCollapsed] = [0, false];
  let spread: number | undefined;
  return {
    get spread() {
      return spread;
    },
    get hasCollapsed() {
      return hasCollapsed;
    },
    onEpochEnd(epoch, logs = {}) {
      const value = spreadIn(logs);
      largest = Math.max(largest, value);
      spread = largest > 0 ? value / largest : 0;
      const isAtMargin = margin !== undefined && Math.abs(Number(logs.loss) - margin) < STUCK * margin;
      const isPoint = spread < share || (isAtMargin && value < share);
      if (isPoint && !hasCollapsed) console.warn(warning(epoch, value, isAtMargin ? margin : undefined));
      hasCollapsed ||= isPoint;
    },
  };
}

function spreadIn(logs: Record<string, unknown>): number {
  const name = SPREADS.find((one) => typeof logs[one] === 'number');
  if (name !== undefined) return logs[name] as number;
  const remedy = 'Compile the model with metrics: [embeddingSpread()].';
  throw typeError(NAME, 'logs', 'have embeddingSpread', Object.keys(logs).join(', '), remedy);
}

function warning(epoch: number, spread: number, margin: number | undefined): string {
  const stuck = margin === undefined ? '' : `, and the loss stays at the margin ${margin}`;
  return (
    `${NAME}: the embeddings have collapsed: in epoch ${epoch} their mean distance is ${spread.toPrecision(2)}${stuck}. ` +
    'Mine by semiHard(), lower the learning rate, or begin with weights that were trained.'
  );
}
