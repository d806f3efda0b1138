import {type Digits, IMAGE_SIDE} from '../../../examples/mnist/data/digits';
import type {Random} from '../../../examples/mnist/experiment/random';
import {areaOf, type Box, sharedArea} from './box';
import {inkBox, isInk, type Patch, scaledDigit} from './scaledDigit';

/** Side of a scene, in pixels. */
export const SIDE = 96;
/** Background and ten digits: the label of a pixel, or of a box, is 0 or the digit plus 1. */
export const KINDS = 11;

/** How scenes are drawn; ranges are `[from, to]`. */
export const SCENE_PROTOCOL = {
  side: SIDE,
  digits: [1, 5],
  /** Of a digit of MNIST, whose ink is some 20 pixels high. */
  scale: [0.7, 2],
  brightness: [0.6, 1],
  /** Largest share of the smaller of two boxes that the other may cover. */
  overlap: 0.1,
  fragments: [8, 16],
  /** Less than the height of a digit, so that none of them is a whole one. */
  fragmentSide: [5, 9],
  ground: [0, 48],
  noise: 20,
} as const;

/** A digit of a scene. */
export interface SceneObject {
  /** 0 … 9. */
  label: number;
  /** Its row in the set that the scene is drawn from. */
  row: number;
  /** The smallest box around its ink. */
  box: Box;
}

/** A grey image with digits, and the label of each pixel. */
export interface Scene {
  /** `96 · 96` bytes, row by row. */
  pixels: Uint8Array;
  /** `96 · 96` bytes: 0 = background, or the digit plus 1. */
  labels: Uint8Array;
  objects: SceneObject[];
}

/** Tries to find a place before a digit or a fragment is left out. */
const TRIES = 20;

/**
 * Draws a scene: one to five digits of random size, place and brightness, which hardly overlap,
 * fragments of other digits beside them, a grey ground and noise.
 *
 * The label of a pixel is that of the digit whose ink is brightest there. Fragments are background,
 * and lie outside all boxes.
 */
export function drawScene(digits: Digits, random: Random): Scene {
  const scene: Scene = {pixels: new Uint8Array(SIDE * SIDE), labels: new Uint8Array(SIDE * SIDE), objects: []};
  const {digits: counts, fragments} = SCENE_PROTOCOL;
  for (let left = wholeIn(counts, random); left > 0; left--) addDigit(scene, digits, random);
  for (let left = wholeIn(fragments, random); left > 0; left--) addFragment(scene, digits, random);
  addGround(scene.pixels, random);
  return scene;
}

const numberIn = ([from, to]: readonly [number, number], random: Random) => from + (to - from) * random();
const below = (end: number, random: Random) => Math.floor(end * random());
const wholeIn = ([from, to]: readonly [number, number], random: Random) => from + below(to - from + 1, random);

function addDigit(scene: Scene, digits: Digits, random: Random): void {
  const {scale, brightness, overlap} = SCENE_PROTOCOL;
  for (let tries = 0; tries < TRIES; tries++) {
    const row = below(digits.count, random);
    // The square makes small digits more frequent than large ones.
    const size = scale[0] + (scale[1] - scale[0]) * random() ** 2;
    const patch = scaledDigit(digits, row, Math.round(size * IMAGE_SIDE));
    const ink = inkBox(patch);
    if (!ink) continue;
    const [top, left] = [below(SIDE - (ink[2] - ink[0]) + 1, random), below(SIDE - (ink[3] - ink[1]) + 1, random)];
    const box: Box = [top, left, top + ink[2] - ink[0], left + ink[3] - ink[1]];
    const isFree = ({box: other}: SceneObject) =>
      sharedArea(box, other) <= overlap * Math.min(areaOf(box), areaOf(other));
    if (!scene.objects.every(isFree)) continue;
    const label = digits.labels[row] as number;
    scene.objects.push({label, row, box});
    draw(scene, patch, [top - ink[0], left - ink[1]], {label: label + 1, light: numberIn(brightness, random)});
    return;
  }
}

/** Cuts a small window out of a digit that is larger than it. */
function addFragment(scene: Scene, digits: Digits, random: Random): void {
  const {scale, brightness, fragmentSide} = SCENE_PROTOCOL;
  const side = Math.round(numberIn([1, scale[1]], random) * IMAGE_SIDE);
  const patch = scaledDigit(digits, below(digits.count, random), side);
  const [height, width] = [wholeIn(fragmentSide, random), wholeIn(fragmentSide, random)];
  for (let tries = 0; tries < TRIES; tries++) {
    const [top, left] = [below(side - height + 1, random), below(side - width + 1, random)];
    const [y, x] = [below(SIDE - height + 1, random), below(SIDE - width + 1, random)];
    const box: Box = [y, x, y + height, x + width];
    if (scene.objects.some(({box: other}) => sharedArea(box, other) > 0)) continue;
    const window: Box = [top, left, top + height, left + width];
    if (inkIn(patch, window) < 0.15 * areaOf(window)) continue;
    draw(scene, patch, [y - top, x - left], {label: 0, light: numberIn(brightness, random), window});
    return;
  }
}

function inkIn({side, pixels}: Patch, [top, left, bottom, right]: Box): number {
  let ink = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) ink += isInk(pixels[y * side + x] as number) ? 1 : 0;
  }
  return ink;
}

interface Stroke {
  label: number;
  /** Factor of its greys. */
  light: number;
  /** The part of the patch that is drawn; all of it by default. */
  window?: Box;
}

/** Draws a patch where it is brighter than the scene; what lies outside is cut off. */
function draw(
  scene: Scene,
  {side, pixels}: Patch,
  [top, left]: [number, number],
  {label, light, window}: Stroke,
): void {
  const [from, start, to, end] = window ?? [0, 0, side, side];
  for (let y = from; y < to; y++) {
    for (let x = start; x < end; x++) {
      const [sceneY, sceneX] = [top + y, left + x];
      if (sceneY < 0 || sceneX < 0 || sceneY >= SIDE || sceneX >= SIDE) continue;
      const at = sceneY * SIDE + sceneX;
      const grey = pixels[y * side + x] as number;
      const lit = Math.round(grey * light);
      if (lit <= (scene.pixels[at] as number)) continue;
      scene.pixels[at] = lit;
      if (label > 0 && isInk(grey)) scene.labels[at] = label;
    }
  }
}

function addGround(pixels: Uint8Array, random: Random): void {
  const {ground: grounds, noise} = SCENE_PROTOCOL;
  const ground = numberIn(grounds, random);
  for (const [at, grey] of pixels.entries()) {
    const noisy = Math.round(Math.max(grey, ground) + noise * (2 * random() - 1));
    pixels[at] = Math.min(255, Math.max(0, noisy));
  }
}
