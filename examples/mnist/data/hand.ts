import type {Random} from '../experiment/random';

/**
 * How one digit is written and how its image suffers; lengths in pixels, `wobble` and `bend` in
 * units of the glyph.
 */
export interface Hand {
  /** Clockwise, in radians. */
  rotation: number;
  /** How far the top leans to the right, per unit of height. */
  slant: number;
  halfHeight: number;
  /** Width over height, 1 as the glyph is given. */
  aspect: number;
  /** Coefficients of `y²` in `x` and of `x²` in `y`: uprights and bars that are not straight. */
  bend: readonly [x: number, y: number];
  shift: readonly [x: number, y: number];
  /** How far each point strays. */
  wobble: number;
  penRadius: number;
  /** How much the pen gets thinner or thicker towards the end of a stroke. */
  penChange: number;
  /** Share of each stroke that the pen skips. */
  gaps: number;
  /** Grey value of full ink, of 1. */
  ink: number;
  /** Passes of a 3 × 3 blur. */
  blur: number;
  /** Side of a square that hides a part; 0 for none. */
  hidden: number;
  /** Each pixel gets up to this much lighter or darker, of 1. */
  noise: number;
}

/** A number within `spread` of 0, small ones likelier. */
export const around = (random: Random, spread: number): number => (random() + random() - 1) * spread;

const between = (random: Random, low: number, high: number): number => low + random() * (high - low);

const eitherSign = (random: Random, low: number, high: number): number =>
  between(random, low, high) * (random() < 0.5 ? -1 : 1);

/** A hand that most people would read at a glance. */
export function neatHand(random: Random): Hand {
  return {
    rotation: around(random, 0.3),
    slant: 0.12 + around(random, 0.4),
    halfHeight: between(random, 7.8, 10),
    aspect: between(random, 0.8, 1.3),
    bend: [around(random, 0.25), around(random, 0.25)],
    shift: [around(random, 1.8), around(random, 1.8)],
    wobble: between(random, 0.04, 0.16),
    penRadius: between(random, 0.8, 1.7),
    penChange: around(random, 0.35),
    gaps: 0,
    ink: between(random, 0.8, 1),
    blur: random() < 0.25 ? 1 : 0,
    hidden: 0,
    noise: random() < 0.2 ? between(random, 0.02, 0.08) : 0,
  };
}

/** What can go wrong with a digit: each gives the few traits that it changes. */
const MISHAPS: readonly ((random: Random) => Partial<Hand>)[] = [
  (random) => ({rotation: eitherSign(random, 0.45, 0.8)}),
  (random) => ({slant: eitherSign(random, 0.55, 0.9)}),
  (random) => ({aspect: random() < 0.5 ? between(random, 0.4, 0.6) : between(random, 1.4, 1.7)}),
  (random) => ({halfHeight: between(random, 4.5, 6), shift: [eitherSign(random, 2, 5), eitherSign(random, 2, 5)]}),
  (random) => ({wobble: between(random, 0.17, 0.24)}),
  (random) => ({penRadius: between(random, 0.3, 0.45), ink: between(random, 0.55, 0.8)}),
  (random) => ({penRadius: between(random, 2, 2.5)}),
  (random) => ({gaps: between(random, 0.2, 0.35)}),
  (random) => ({hidden: Math.floor(between(random, 6, 10))}),
  (random) => ({blur: Math.floor(between(random, 3, 6))}),
  (random) => ({noise: between(random, 0.25, 0.45)}),
];

/**
 * A hand that is hard to read: a neat one with two mishaps, where the second may overrule the
 * first.
 */
export function hardHand(random: Random): Hand {
  const mishap = () => (MISHAPS[Math.floor(random() * MISHAPS.length)] as (random: Random) => Partial<Hand>)(random);
  return {...neatHand(random), ...mishap(), ...mishap()};
}
