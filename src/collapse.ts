/** @file Detects embeddings that have collapsed to a point, and words the warning. */

/** A loss this close to the margin, relative to it, counts as stuck there. */
const STUCK = 0.02;

/** Below this share of the margin, most triplets keep it: the embeddings are apart. */
const LEARNED = 0.5;

/** Default share of the largest spread below which embeddings count as collapsed. */
export const COLLAPSED = 0.1;

/**
 * Tracks the mean distance of embeddings, and detects a collapse.
 *
 * @param margin  the loss if all embeddings are one point.
 */
export function collapseRule({margin, share = COLLAPSED}: {margin?: number | undefined; share?: number | undefined}) {
  let [largest, hasCollapsed] = [0, false];
  let relative: number | undefined;
  return {
    /** The latest spread relative to the largest so far. */
    relative: () => relative,
    hasCollapsed: () => hasCollapsed,
    /**
     * Records a spread and the loss at that moment. Returns the warning the first time the
     * embeddings have collapsed.
     */
    note(where: string, place: string, spread: number, loss = Number.NaN): string | undefined {
      // A batch without a finite row has no spread.
      if (!Number.isFinite(spread)) return undefined;
      largest = Math.max(largest, spread);
      relative = largest > 0 ? spread / largest : 0;
      const isAtMargin = margin !== undefined && Math.abs(loss - margin) <= STUCK * margin;
      // Embeddings that are not normalised may shrink without losing their classes.
      const isLearned = margin !== undefined && loss < LEARNED * margin;
      const isSmall = (relative < share && !isLearned) || (isAtMargin && spread < share);
      if (hasCollapsed || !isSmall) return undefined;
      hasCollapsed = true;
      const stuck = isAtMargin ? `, and the loss stays at the margin ${margin}` : '';
      return (
        `${where}: the embeddings have collapsed: in ${place} their mean distance is ${spread.toPrecision(2)}${stuck}. ` +
        'Mine by semiHard(), lower the learning rate, or begin with weights that were trained.'
      );
    },
  };
}
