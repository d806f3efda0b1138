/**
 * `x` to the right, `y` down; a glyph is 2 high, from −1 to 1, and about 1.2 wide, around the
 * origin.
 */
export type Point = readonly [x: number, y: number];

/**
 * What the pen draws without being lifted: a smooth curve through the points; the same point twice
 * in a row is a corner.
 */
export type Stroke = readonly Point[];

/** One way to write a digit. */
export type Glyph = readonly Stroke[];

/**
 * Points on an ellipse every 45° or so, clockwise as seen for `to > from`; angles in degrees, 0 to
 * the right, 90 down.
 */
function arc(x: number, y: number, radiusX: number, radiusY: number, from: number, to: number): Stroke {
  const spans = Math.ceil(Math.abs(to - from) / 45);
  return Array.from({length: spans + 1}, (_, index): Point => {
    const angle = ((from + ((to - from) * index) / spans) * Math.PI) / 180;
    return [x + radiusX * Math.cos(angle), y + radiusY * Math.sin(angle)];
  });
}

/** The same point twice: a corner of a stroke. */
function corner(x: number, y: number): Stroke {
  const point: Point = [x, y];
  return [point, point];
}

/** How the example writes each digit: `GLYPHS[7]` are the ways to write a 7. */
// biome-ignore format: a stroke is a line or two, and not a line for each number
export const GLYPHS: readonly (readonly Glyph[])[] = [
  [ // 0: closed; begun at the right, where the end crosses over
    [arc(0, 0, 0.62, 1, -95, -455)],
    [[...arc(0.02, 0.02, 0.58, 0.98, -50, -400), [0.1, -0.8]]],
  ],
  [ // 1: bare; with a serif; with a serif and a foot
    [[[0, -1], [0, 0], [0, 1]]],
    [[[-0.38, -0.55], ...corner(0.08, -1), [0.06, 0], [0.05, 1]]],
    [[[-0.35, -0.6], ...corner(0.04, -1), [0.03, 0], [0.02, 0.95]], [[-0.42, 0.97], [0, 0.95], [0.45, 0.95]]],
  ],
  [ // 2: with a corner; with a loop
    [[[-0.55, -0.55], [-0.3, -0.9], [0.15, -0.98], [0.5, -0.62], [0.36, -0.15], [-0.05, 0.35],
      ...corner(-0.6, 0.92), [0, 0.9], [0.65, 0.9]]],
    [[[-0.5, -0.62], [-0.15, -0.95], [0.38, -0.85], [0.45, -0.4], [0.15, 0.2], [-0.3, 0.78], [-0.58, 0.82],
      [-0.5, 0.55], [-0.15, 0.65], [0.25, 0.9], [0.7, 0.82]]],
  ],
  [ // 3: round; with a flat top
    [[[-0.5, -0.75], [-0.1, -1], [0.38, -0.85], [0.4, -0.38],
      ...corner(-0.08, -0.08), [0.38, 0.08], [0.52, 0.55], [0.1, 0.98], [-0.55, 0.78]]],
    [[[-0.52, -0.93], [0, -0.95], ...corner(0.48, -0.95),
      ...corner(-0.08, -0.22), [0.38, -0.05], [0.52, 0.45], [0.12, 0.97], [-0.52, 0.8]]],
  ],
  [ // 4: open; closed
    [[[-0.48, -0.95], [-0.58, -0.3], ...corner(-0.58, 0.15), [0, 0.12], [0.62, 0.08]],
      [[0.3, -0.75], [0.26, 0.1], [0.22, 1]]],
    [[[0.65, 0.3], [0, 0.33], ...corner(-0.62, 0.35), [-0.2, -0.35], ...corner(0.25, -1), [0.24, 0], [0.22, 1]]],
  ],
  [ // 5: in one go; with the bar drawn last
    [[[0.52, -0.95], [0, -0.96], ...corner(-0.4, -0.92),
      ...corner(-0.48, -0.12), [0, -0.3], [0.46, -0.02], [0.5, 0.5], [0.1, 0.95], [-0.55, 0.85]]],
    [[[-0.3, -0.85], ...corner(-0.42, -0.1), [0.05, -0.25], [0.48, 0.08], [0.46, 0.62], [0, 0.98], [-0.52, 0.8]],
      [[-0.32, -0.88], [0.1, -0.93], [0.62, -0.98]]],
  ],
  [ // 6: bent; straight
    [[[0.42, -0.95], [-0.12, -0.62], [-0.5, 0], [-0.5, 0.62], [-0.08, 0.98], [0.42, 0.78], [0.44, 0.32],
      [0.05, 0.08], [-0.42, 0.38]]],
    [[[0.12, -1], [-0.22, -0.45], [-0.46, 0.25], [-0.36, 0.82], [0.05, 0.96], [0.42, 0.66], [0.3, 0.24],
      [-0.08, 0.22], [-0.42, 0.56]]],
  ],
  [ // 7: plain; with a bar; with a serif
    [[[-0.55, -0.9], [0, -0.93], ...corner(0.52, -0.95), [0.18, -0.1], [-0.15, 1]]],
    [[[-0.55, -0.9], [0, -0.92], ...corner(0.55, -0.95), [0.15, 0], [-0.12, 1]], [[-0.32, 0.05], [0.1, 0.02], [0.52, 0]]],
    [[[-0.52, -0.6], ...corner(-0.52, -0.95), [0, -0.93], ...corner(0.52, -0.95), [0.1, -0.05], [-0.05, 1]]],
  ],
  [ // 8: in one go; two rings
    [[[0.4, -0.78], [0.02, -1], [-0.38, -0.72], [-0.22, -0.3], [0.22, 0.12], [0.45, 0.55], [0.05, 0.98],
      [-0.42, 0.6], [-0.22, 0.15], [0.2, -0.25], [0.42, -0.7], [0.3, -0.9]]],
    [arc(0, -0.52, 0.4, 0.46, -90, 270), arc(0, 0.46, 0.5, 0.52, -90, 270)],
  ],
  [ // 9: with a curved leg; a straight one; a hook
    [[[0.42, -0.72], [0.05, -0.98], [-0.42, -0.68], [-0.3, -0.2], [0.12, -0.15], [0.42, -0.6], [0.38, 0.1],
      [0.2, 0.6], [-0.08, 1]]],
    [[...arc(0, -0.52, 0.42, 0.45, -35, -375), ...corner(0.42, -0.55), [0.4, 0.2], [0.36, 1]]],
    [[[0.4, -0.75], [0, -0.98], [-0.42, -0.62], [-0.2, -0.15], [0.25, -0.25],
      ...corner(0.43, -0.75), [0.44, 0.3], [0.2, 0.92], [-0.42, 0.8]]],
  ],
];
