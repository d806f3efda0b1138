import type {RunStyle} from '../../examples/mnist/report/runStyle';
import {estimate} from './statistics';

/** A mean over seeds at one place of an axis, and its 95 % interval. */
export interface BandPoint {
  x: number;
  mean: number;
  low: number;
  high: number;
}

/** A line with a band around it. */
export interface Series {
  label: string;
  style: RunStyle;
  points: BandPoint[];
}

/**
 * The band of a curve that was measured for several seeds at the same places.
 *
 * @param xs  where it was measured.
 * @param seeds  a curve for each seed. Of a single one the band has no width.
 */
export function bandOf(xs: readonly number[], seeds: readonly (readonly number[])[]): BandPoint[] {
  return xs.map((x, place) => {
    const {mean, margin} = estimate(seeds.map((curve) => curve[place] as number));
    const reach = Number.isNaN(margin) ? 0 : margin;
    return {x, mean, low: mean - reach, high: mean + reach};
  });
}
