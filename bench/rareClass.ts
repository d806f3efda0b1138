import {type Random, seededRandom} from '../examples/mnist/experiment/random';

/** Rows of two classes, one a hundred times as frequent as the other. */
export interface RareClassData {
  count: number;
  /** `FEATURES` numbers a row. */
  features: Float32Array;
  /** 1 for a row of the rare class. */
  positive: Uint8Array;
}

export const FEATURES = 8;
export const NEGATIVES_FOR_EACH = 100;

/**
 * A cloud of points: its share of its class, its centre (0 in the features that are not named), the
 * same width in every direction.
 */
interface Cloud {
  share: number;
  centre: readonly number[];
  width: number;
}

/**
 * The rare class is two small clouds; a tenth of the frequent one lies close by, the rest is easy.
 */
const POSITIVE: readonly Cloud[] = [
  {share: 0.5, centre: [2.6, 2.6], width: 0.8},
  {share: 0.5, centre: [-2.6, 0, 2.6], width: 0.8},
];
const NEGATIVE: readonly Cloud[] = [
  {share: 0.9, centre: [], width: 1},
  {share: 0.1, centre: [1.2, 1.2, 1.2], width: 1},
];

/** Draws `positives` rows of the rare class, and a hundred times as many others. */
export function drawRareClass(positives: number, seed: number): RareClassData {
  const random = seededRandom(seed);
  const count = positives * (1 + NEGATIVES_FOR_EACH);
  const features = new Float32Array(count * FEATURES);
  const positive = new Uint8Array(count).fill(1, 0, positives);
  for (let row = 0; row < count; row++) {
    const {centre, width} = drawCloud(positive[row] ? POSITIVE : NEGATIVE, random);
    for (let i = 0; i < FEATURES; i++) {
      features[row * FEATURES + i] = (centre[i] ?? 0) + width * standardNormal(random);
    }
  }
  return {count, features, positive};
}

function drawCloud(clouds: readonly Cloud[], random: Random): Cloud {
  let left = random();
  const drawn = clouds.find(({share}) => {
    left -= share;
    return left < 0;
  });
  return drawn ?? (clouds.at(-1) as Cloud);
}

/** Box and Muller's; 1 − random() is never 0. */
function standardNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * How much likelier each row is under the rare class than under the other, as a logarithm: the best
 * score that there is.
 */
export function bestScores({count, features}: RareClassData): Float64Array {
  return Float64Array.from({length: count}, (_, row) => {
    const point = features.subarray(row * FEATURES, (row + 1) * FEATURES);
    return Math.log(density(POSITIVE, point)) - Math.log(density(NEGATIVE, point));
  });
}

/** Up to a factor that is the same for both classes. */
function density(clouds: readonly Cloud[], point: Float32Array): number {
  return clouds.reduce((sum, {share, centre, width}) => {
    const distance = point.reduce((squares, value, i) => squares + (value - (centre[i] ?? 0)) ** 2, 0);
    return sum + (share / width ** FEATURES) * Math.exp(-distance / (2 * width ** 2));
  }, 0);
}
