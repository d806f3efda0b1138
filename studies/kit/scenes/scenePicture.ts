import {deflateSync} from 'node:zlib';
import {SIDE} from './scene';

/** Bits of a pixel of a PNG: enough for a figure, and little enough for a file. */
const BITS = 4;

/** Types of PNG: greys, and colours of a palette. */
const [GREY, PALETTE] = [0, 3];

/** Draws grey pixels, `96 · 96` bytes, as a PNG with 16 greys: a `data:` address. */
export const scenePicture = (pixels: Uint8Array): string =>
  pngOf(
    pixels.map((grey) => Math.round(grey / 17)),
    {type: GREY},
  );

/** Colours of the background and of up to ten kinds. */
const COLORS = [
  ...['15181c', '3498e0', 'd62839', '3fdcbb', 'ffb357', 'c39bff'],
  ...['eceef0', '00746b', 'ff8fb1', 'd8e05a', '868e97'],
];

/** Draws the kind of each pixel, 0 = background to 10, in colours. */
export const kindsPicture = (kinds: Uint8Array): string =>
  pngOf(kinds, {type: PALETTE, palette: Buffer.from(COLORS.join(''), 'hex')});

/** Encodes numbers from 0 to 15, `96 · 96` of them, as a PNG. */
function pngOf(numbers: Uint8Array, {type, palette}: {type: number; palette?: Uint8Array}): string {
  const rows: number[] = [];
  for (let y = 0; y < SIDE; y++) {
    rows.push(0);
    for (let x = 0; x < SIDE; x += 2) {
      const [left, right] = numbers.subarray(y * SIDE + x, y * SIDE + x + 2) as unknown as [number, number];
      rows.push((left << BITS) | right);
    }
  }
  const size = (pixel: number) => [0, 0, 0, pixel];
  const chunks = [
    chunk('IHDR', Uint8Array.from([...size(SIDE), ...size(SIDE), BITS, type, 0, 0, 0])),
    ...(palette ? [chunk('PLTE', palette)] : []),
    chunk('IDAT', deflateSync(Uint8Array.from(rows), {level: 9})),
    chunk('IEND', new Uint8Array(0)),
  ];
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  return `data:image/png;base64,${Buffer.concat([Uint8Array.from(signature), ...chunks]).toString('base64')}`;
}

function chunk(type: string, data: Uint8Array): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'ascii'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(content), 4);
  return Buffer.concat([frame.subarray(0, 4), content, frame.subarray(4)]);
}

/** The checksum of PNG chunks (ISO 3309); that of `node:zlib` is younger than Node 20. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
