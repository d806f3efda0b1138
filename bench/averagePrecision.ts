/**
 * The area under the precision-recall curve, as a sum of steps.
 *
 *     AP = Σ (recall_t − recall_{t−1}) · precision_t    over the distinct scores t, largest first
 *
 * Rows with the same score enter together, so that their order does not matter. Scores that say
 * nothing give the share of positives.
 *
 * @param positive  1 (or true) for each row that is positive.
 * @returns a number in (0, 1]; NaN if there is no positive, or a score is NaN.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<number | boolean>): number {
  const order = Array.from(scores, (_, row) => row).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  let [found, foundBefore, area] = [0, 0, 0];
  order.forEach((row, place) => {
    if (positive[row]) found++;
    if (scores[row] === scores[order[place + 1] as number]) return;
    area += (found - foundBefore) * (found / (place + 1));
    foundBefore = found;
  });
  return Array.from(scores).some(Number.isNaN) ? Number.NaN : area / found;
}
