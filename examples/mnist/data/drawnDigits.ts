import {type Random, seededRandom, shuffledIndices} from '../experiment/random';
import {CLASSES, type Digits, IMAGE_SIDE, IMAGE_SIZE} from './digits';
import {GLYPHS, type Glyph} from './glyphs';
import {around, type Hand, hardHand, neatHand} from './hand';
import {writeGlyph} from './writing';

/** How many of the drawn digits are hard to read. */
const HARD_SHARE = 0.13;

export interface DrawDigitsOptions {
  /** How many; integer ≥ 0. */
  count: number;
  /** Integer from 0 to 2⁵³ − 1. */
  seed: number;
}

/**
 * Draws handwritten-looking digits where MNIST cannot be had: every digit its own glyph, pose, pen
 * and ink.
 *
 * Every ten in a row are the ten classes in random order, so any number of them is balanced, and
 * the first ones are the same however many follow. About one in eight is hard to read (turned,
 * broken, hidden, blurred …), so that mining for hard examples has something to find. It takes some
 * 30 µs a digit.
 *
 * @throws RangeError if `count` is not an integer ≥ 0, or `seed` is out of range.
 *
 * @example
 * const {images, labels} = drawDigits({count: 100, seed: 1});
 */
export function drawDigits({count, seed}: DrawDigitsOptions): Digits {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new RangeError(`drawDigits: count must be an integer >= 0, got ${count}.`);
  }
  const random = seededRandom(seed);
  const images = new Uint8ClampedArray(count * IMAGE_SIZE);
  const labels = new Uint8Array(count);
  const ink = new Float32Array(IMAGE_SIZE);
  let classes: Uint32Array = new Uint32Array();
  for (let index = 0; index < count; index++) {
    if (index % CLASSES === 0) classes = shuffledIndices(CLASSES, random);
    const label = classes[index % CLASSES] as number;
    const hand = random() < HARD_SHARE ? hardHand(random) : neatHand(random);
    ink.fill(0);
    writeGlyph(ink, oneOf(GLYPHS[label] as readonly Glyph[], random), hand, random);
    spoil(ink, hand, random);
    print(ink, hand, random, images.subarray(index * IMAGE_SIZE, (index + 1) * IMAGE_SIZE));
    labels[index] = label;
  }
  return {count, images: new Uint8Array(images.buffer), labels};
}

function spoil(ink: Float32Array, {blur, hidden}: Hand, random: Random): void {
  for (let pass = 0; pass < blur; pass++) {
    blurAlong(ink, 1);
    blurAlong(ink, IMAGE_SIDE);
  }
  if (hidden > 0) {
    const left = Math.round((IMAGE_SIDE - hidden) / 2 + around(random, 7));
    const top = Math.round((IMAGE_SIDE - hidden) / 2 + around(random, 7));
    const grey = random() * 0.5;
    for (let y = top; y < top + hidden; y++) ink.fill(grey, y * IMAGE_SIDE + left, y * IMAGE_SIDE + left + hidden);
  }
}

/**
 * Weighs each value and its neighbours ¼ ½ ¼, in place; rows run on into the next, where there is
 * hardly ever ink.
 */
function blurAlong(ink: Float32Array, stride: number): void {
  for (let start = 0; start < stride; start++) {
    let before = 0;
    for (let pixel = start; pixel < IMAGE_SIZE; pixel += stride) {
      const here = ink[pixel] as number;
      ink[pixel] = before / 4 + here / 2 + (ink[pixel + stride] ?? 0) / 4;
      before = here;
    }
  }
}

/** Turns ink into bytes. */
function print(ink: Float32Array, hand: Hand, random: Random, image: Uint8ClampedArray): void {
  for (let pixel = 0; pixel < IMAGE_SIZE; pixel++) {
    const noise = hand.noise > 0 ? (random() - 0.5) * 2 * hand.noise : 0;
    image[pixel] = 255 * ((ink[pixel] as number) * hand.ink + noise);
  }
}

const oneOf = <T>(choices: readonly T[], random: Random): T => choices[Math.floor(random() * choices.length)] as T;
