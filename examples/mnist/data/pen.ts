import {IMAGE_SIDE} from './digits';

/**
 * Draws a line of a round pen onto grey values, with smooth edges; coordinates are pixels, a
 * pixel's centre at + ½.
 *
 *     ink[pixel] = max(ink[pixel], clamp(radius + ½ − distance(pixel, line), 0, 1))
 *
 * The maximum, and not a sum, keeps a stroke of many short lines even where they meet.
 *
 * @param ink  `IMAGE_SIDE²` values from 0 to 1, changed in place.
 */
export function drawLine(ink: Float32Array, x0: number, y0: number, x1: number, y1: number, radius: number): void {
  const reach = radius + 0.5;
  const left = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
  const right = Math.min(IMAGE_SIDE - 1, Math.floor(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
  const bottom = Math.min(IMAGE_SIDE - 1, Math.floor(Math.max(y0, y1) + reach));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const length2 = dx * dx + dy * dy || 1;
  for (let y = top; y <= bottom; y++) {
    const py = y + 0.5 - y0;
    for (let x = left; x <= right; x++) {
      const px = x + 0.5 - x0;
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) / length2));
      const awayX = px - along * dx;
      const awayY = py - along * dy;
      const away2 = awayX * awayX + awayY * awayY;
      if (away2 >= reach * reach) continue;
      const value = Math.min(1, reach - Math.sqrt(away2));
      const pixel = y * IMAGE_SIDE + x;
      if (value > (ink[pixel] as number)) ink[pixel] = value;
    }
  }
}
