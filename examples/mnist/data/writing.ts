import type {Random} from '../experiment/random';
import {IMAGE_SIDE} from './digits';
import type {Glyph, Point, Stroke} from './glyphs';
import {around, type Hand} from './hand';
import {drawLine} from './pen';

/** Lines for each span between two points of a stroke. */
const LINES_PER_SPAN = 5;

/** Writes a glyph onto grey values, as this hand does it; `ink` is changed in place. */
export function writeGlyph(ink: Float32Array, glyph: Glyph, hand: Hand, random: Random): void {
  for (const stroke of glyph) writeStroke(ink, posed(stroke, hand, random), hand, random);
}

/** The points of a stroke in pixels, as this hand puts them; the two of a corner stay together. */
function posed(
  stroke: Stroke,
  {wobble, bend, aspect, slant, halfHeight, rotation, shift}: Hand,
  random: Random,
): Stroke {
  const cos = Math.cos(rotation) * halfHeight;
  const sin = Math.sin(rotation) * halfHeight;
  const points: Point[] = [];
  stroke.forEach((point, index) => {
    if (point === stroke[index - 1]) {
      points.push(points[index - 1] as Point);
      return;
    }
    const [x, y] = point;
    const upright = y + bend[1] * (x * x - 0.2) + around(random, wobble);
    const across = (x + bend[0] * (y * y - 0.5) + around(random, wobble)) * aspect - slant * upright;
    points.push([
      IMAGE_SIDE / 2 + shift[0] + cos * across - sin * upright,
      IMAGE_SIDE / 2 + shift[1] + sin * across + cos * upright,
    ]);
  });
  return points;
}

/**
 * Joins the points by a Catmull–Rom spline: it passes through all of them, and ends straight where
 * a point repeats.
 */
function writeStroke(ink: Float32Array, points: Stroke, {penRadius, penChange, gaps}: Hand, random: Random): void {
  const gapsFrom = random();
  const spans = points.length - 1;
  for (let span = 0; span < spans; span++) {
    const from = points[span] as Point;
    const to = points[span + 1] as Point;
    if (from === to) continue;
    const before = points[span - 1] ?? from;
    const after = points[span + 2] ?? to;
    let [x, y] = from;
    for (let line = 1; line <= LINES_PER_SPAN; line++) {
      const t = line / LINES_PER_SPAN;
      const nextX = spline(before[0], from[0], to[0], after[0], t);
      const nextY = spline(before[1], from[1], to[1], after[1], t);
      // A gap every two spans or so: the skipped parts come in runs that can be seen between the
      // round ends.
      const skipped = ((span + t) / 2 + gapsFrom) % 1 < gaps;
      const radius = penRadius * (1 + penChange * ((2 * (span + t)) / spans - 1));
      if (!skipped) drawLine(ink, x, y, nextX, nextY, radius);
      x = nextX;
      y = nextY;
    }
  }
}

/** The uniform Catmull–Rom spline from `p1` (`t = 0`) to `p2` (`t = 1`). */
function spline(p0: number, p1: number, p2: number, p3: number, t: number): number {
  return p1 + (t / 2) * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
}
