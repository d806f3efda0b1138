import {inflateSync} from 'node:zlib';
import {expect, it} from 'vitest';
import {drawDigits} from '../../../../examples/mnist/data/drawnDigits';
import {renderPng} from '../../../../examples/mnist/report/render';
import {SIDE} from '../../../../studies/kit/scenes/scene';
import {kindsPicture, scenePicture} from '../../../../studies/kit/scenes/scenePicture';
import {scenesOf} from '../../../../studies/kit/scenes/sceneSets';

const [scene] = scenesOf(drawDigits({count: 50, seed: 3}), 1, 0, 1) as [ReturnType<typeof scenesOf>[number]];
const address = scenePicture(scene.pixels);

it('scenePicture has each grey, up to half of a sixteenth', () => {
  const png = Buffer.from(address.replace('data:image/png;base64,', ''), 'base64');
  const start = png.indexOf('IDAT') + 4;
  const rows = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const pair = rows[y * (SIDE / 2 + 1) + 1 + (x >> 1)] as number;
      const grey = 17 * (x % 2 === 0 ? pair >> 4 : pair & 15);
      expect(Math.abs(grey - (scene.pixels[y * SIDE + x] as number))).toBeLessThanOrEqual(8.5);
    }
  }
});

it('scenePicture is a PNG that a renderer draws: its checksums are right', () => {
  const svgOf = (content: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE}">${content}</svg>`;
  const drawn = renderPng(svgOf(`<image href="${address}" width="${SIDE}" height="${SIDE}"/>`), {scale: 1});
  expect(drawn.length).toBeGreaterThan(4 * renderPng(svgOf(''), {scale: 1}).length);
});

it('kindsPicture has a colour for each kind, the same in each picture', () => {
  const colorsOf = (kinds: number[]) => kindsPicture(Uint8Array.from({length: SIDE * SIDE}, (_, at) => kinds[at] ?? 0));
  const eleven = Array.from({length: 11}, (_, kind) => kind);
  const pictures = eleven.map((kind) => colorsOf([kind, 0]));
  expect(new Set(pictures).size).toBe(11);
  const png = Buffer.from((pictures[0] as string).replace('data:image/png;base64,', ''), 'base64');
  const start = png.indexOf('PLTE') + 4;
  const palette = png.subarray(start, start + png.readUInt32BE(start - 8)).toString('hex');
  expect(new Set(palette.match(/.{6}/g)).size).toBe(11);
});
