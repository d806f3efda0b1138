/** @file When embeddings have collapsed to a point, and the words for it. */

/** How near to the margin a loss is stuck there. */
const STUCK = 0.02;

/** Share of the largest spread below which embeddings have collapsed, if nobody says otherwise. */
export const COLLAPSED = 0.1;

/**
 * Follows the mean distance of embeddings, and finds when they have collapsed.
 *
 * @param margin  the loss if all embeddings are one point.
 */
export function collapseRule({margin, share = COLLAPSED}: {margin?: number | undefined; share?: number | undefined}) {
  let [largest, hasCollapsed] = [0, false];
  let relative: number | undefined;
  return {
    /** The latest spread by the largest one so far. */
    relative: () => relative,
    hasCollapsed: () => hasCollapsed,
    /** Notes a spread, and the loss of that moment; what is to be said the first time that they are a point. */
    note(where: string, place: string, spread: number, loss = Number.NaN): string | undefined {
      // A batch without a finite row has no spread: it says nothing of the others.
      if (!Number.isFinite(spread)) return undefined;
      largest = Math.max(largest, spread);
      relative = largest > 0 ? spread / largest : 0;
      const isAtMargin = margin !== undefined && Math.abs(loss - margin) <= STUCK * margin;
      if (hasCollapsed || !(relative < share || (isAtMargin && spread < share))) return undefined;
      hasCollapsed = true;
      const stuck = isAtMargin ? `, and the loss stays at the margin ${margin}` : '';
      return (
        `${where}: the embeddings have collapsed: in ${place} their mean distance is ${spread.toPrecision(2)}${stuck}. ` +
        'Mine by semiHard(), lower the learning rate, or begin with weights that were trained.'
      );
    },
  };
}
