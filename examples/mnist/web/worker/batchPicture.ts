import {type Digits, IMAGE_SIDE, IMAGE_SIZE} from '../../data/digits';
import type {MinedBatch} from '../../experiment/minedBatch';
import type {BatchPicture} from '../protocol';

/** Digits in a picture; more would be too small to read. */
const MOST = 1024;
/** Digits up to which each has all its pixels; of more, each has a quarter of them. */
const MOST_IN_FULL = 256;

/** Pictures the rows of a batch, the first 1024 of them, with which of them were backpropagated. */
export function batchPicture({rows, kept}: Pick<MinedBatch, 'rows' | 'kept'>, {images}: Digits): BatchPicture {
  const count = Math.min(rows.length, MOST);
  const side = count > MOST_IN_FULL ? IMAGE_SIDE / 2 : IMAGE_SIDE;
  const size = side * side;
  const pixels = new Uint8Array(count * size);
  for (let place = 0; place < count; place++) {
    const row = rows[place] as number;
    const image = images.subarray(row * IMAGE_SIZE, (row + 1) * IMAGE_SIZE);
    pixels.set(side === IMAGE_SIDE ? image : halved(image), place * size);
  }
  return {count, side, pixels, kept: kept.slice(0, count)};
}

/** An image with half the pixels along each side, each the mean of four. */
function halved(image: Uint8Array): Uint8Array {
  const side = IMAGE_SIDE / 2;
  return Uint8Array.from({length: side * side}, (_, pixel) => {
    const corner = 2 * Math.floor(pixel / side) * IMAGE_SIDE + 2 * (pixel % side);
    const four = [0, 1, IMAGE_SIDE, IMAGE_SIDE + 1].map((offset) => image[corner + offset] as number);
    return Math.round(four.reduce((sum, grey) => sum + grey, 0) / four.length);
  });
}
