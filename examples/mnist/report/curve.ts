/** A curve as the figures draw it: `null` where there is nothing to draw, which leaves a gap. */
export interface CurvePoint {
  step: number;
  value: number | null;
}

/**
 * At most `limit` points that look like all of them: of every stretch of steps its lowest and its
 * highest value stay.
 *
 * Taking every n-th point instead would hide the peaks, which is what the raw line is drawn
 * for.
 */
export function thinned(steps: number[], values: number[], limit: number): CurvePoint[] {
  const points = steps.map((step, index) => ({step, value: finite(values[index])}));
  if (points.length <= limit) {
    return points;
  }
  const stretches = Math.floor(limit / 2);
  return Array.from({length: stretches}, (_, stretch) => {
    const from = Math.floor((stretch * points.length) / stretches);
    const to = Math.floor(((stretch + 1) * points.length) / stretches);
    return extremes(points.slice(from, to));
  }).flat();
}

/**
 * The lowest and the highest point, in the order of their steps; one gap where no point has a
 * value.
 */
function extremes(points: CurvePoint[]): CurvePoint[] {
  const drawn = points.filter(({value}) => value !== null).sort((a, b) => (a.value ?? 0) - (b.value ?? 0));
  const lowest = drawn[0];
  const highest = drawn.at(-1);
  if (lowest === undefined || highest === undefined) {
    return points.slice(0, 1);
  }
  return lowest === highest ? [lowest] : [lowest, highest].sort((a, b) => a.step - b.step);
}

/**
 * The moving median over `window` steps, at no more than `limit` of the steps, the first and the
 * last among them.
 *
 * A median, since one outlying batch should not bend the curve. The window is centred and cut off
 * at both ends.
 */
export function movingMedian(steps: number[], values: number[], window: number, limit: number): CurvePoint[] {
  const reach = Math.floor(window / 2);
  const count = Math.min(limit, steps.length);
  return Array.from({length: count}, (_, point) => {
    const index = count === 1 ? steps.length - 1 : Math.round((point * (steps.length - 1)) / (count - 1));
    const around = values.slice(Math.max(0, index - reach), index + reach + 1).filter(Number.isFinite);
    return {step: steps[index] as number, value: finite(values[index]) === null ? null : median(around)};
  });
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}

/** The points with no neighbour to draw a line to: without a dot they would not be seen. */
export function lonely(points: CurvePoint[]): CurvePoint[] {
  const drawn = (index: number) => typeof points[index]?.value === 'number';
  return points.filter((_, index) => drawn(index) && !drawn(index - 1) && !drawn(index + 1));
}

/** The last point that has a value: where the curve's label belongs. */
export function lastDrawn(points: CurvePoint[]): {step: number; value: number} | undefined {
  for (const {step, value} of [...points].reverse()) {
    if (value !== null) {
      return {step, value};
    }
  }
  return undefined;
}

/**
 * JSON has no NaN and no Infinity: results read from a file have `null` in their place, whatever
 * their type says.
 */
const finite = (value: number | undefined) => (Number.isFinite(value) ? (value as number) : null);
