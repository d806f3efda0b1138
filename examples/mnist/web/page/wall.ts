import {IMAGE_SIDE} from '../../data/digits';
import {themeColors} from '../../report/theme';
import type {BatchTile, LedgerTile, Tile} from '../protocol';
import {element, made} from './element';
import {darkPage, themeNow} from './pageTheme';

/** Digits in a grid, each with its label, what the network takes it for, and one more figure. */
export interface Wall<T extends Tile> {
  clear(): void;
  draw(tiles: readonly T[]): void;
}

/** How a wall words the rest of what there is to say about a tile. */
interface Wording<T> {
  figure: (tile: T) => string;
  spoken: (tile: T) => string;
  kept: (tile: T) => boolean;
}

const TILES_PER_FRAME = 16;

/** The hardest of the last batch. */
export const batchWall = (): Wall<BatchTile> =>
  wall('wall', 64, {
    figure: ({loss}) => loss.toFixed(2),
    spoken: ({loss, kept}) => `loss ${loss.toFixed(2)}, ${kept ? 'backpropagated' : 'left out'}`,
    kept: ({kept}) => kept,
  });

/** The most mined of the whole training run. */
export const ledgerWall = (): Wall<LedgerTile> =>
  wall('ledger', 32, {
    figure: ({mined, seen}) => `${mined} of ${seen}`,
    spoken: ({mined, seen, meanLoss}) => `mined ${mined} of ${seen} times, mean loss ${meanLoss.toFixed(2)}`,
    kept: () => true,
  });

function wall<T extends Tile>(id: string, count: number, {figure, spoken, kept}: Wording<T>): Wall<T> {
  const list = element(id, HTMLOListElement);
  const cells = Array.from({length: count}, cell);
  list.append(...cells.map(({item}) => item));
  let shown: readonly T[] = [];
  let drawn = count;
  const drawTile = ({item, canvas, reading, below}: ReturnType<typeof cell>, tile: T | undefined) => {
    item.className = tile ? (kept(tile) ? 'kept' : 'left') : 'empty';
    reading.className = tile && tile.guess !== tile.label ? 'wrong' : 'right';
    reading.textContent = tile ? readingOf(tile) : '–';
    below.textContent = tile ? figure(tile) : '–';
    canvas.setAttribute('aria-label', tile ? `A ${tile.label}, ${readAs(tile)}, ${spoken(tile)}` : 'Nothing yet');
    drawDigit(canvas, tile?.image);
  };
  /** A row of tiles a frame: all of them at once would hold up whoever clicks meanwhile. */
  const drawOn = () => {
    const next = drawn + TILES_PER_FRAME;
    for (; drawn < Math.min(next, count); drawn++) drawTile(cells[drawn] as ReturnType<typeof cell>, shown[drawn]);
    if (drawn < count) requestAnimationFrame(drawOn);
  };
  const drawAll = () => {
    const isAtIt = drawn < count;
    drawn = 0;
    if (!isAtIt) requestAnimationFrame(drawOn);
  };
  darkPage.addEventListener('change', drawAll);
  drawAll();
  return {
    clear() {
      shown = [];
      drawAll();
    },
    draw(tiles) {
      shown = tiles;
      drawAll();
    },
  };
}

function cell() {
  const item = made('li');
  const canvas = made('canvas');
  canvas.width = IMAGE_SIDE;
  canvas.height = IMAGE_SIDE;
  canvas.setAttribute('role', 'img');
  const reading = made('span');
  const below = made('span', '', 'loss');
  // The canvas has a name that says it all.
  reading.ariaHidden = 'true';
  below.ariaHidden = 'true';
  item.append(canvas, reading, below);
  return {item, canvas, reading, below};
}

const readingOf = ({label, guess}: Tile) => (label === guess ? String(label) : `${label} → ${guess}`);

const readAs = ({label, guess}: Tile) => (label === guess ? 'read rightly' : `read as ${guess}`);

/** Draws grey values as ink of the page's colour. */
function drawDigit(canvas: HTMLCanvasElement, image: Uint8Array | undefined): void {
  // Kept in main memory: uploading many small pictures to a GPU costs more than drawing them.
  const context = canvas.getContext('2d', {willReadFrequently: true});
  if (!context) return;
  const pixels = context.createImageData(IMAGE_SIDE, IMAGE_SIDE);
  const ink = Number.parseInt(themeColors[themeNow()].ink.slice(1), 16);
  image?.forEach((grey, pixel) => {
    pixels.data.set([ink >> 16, (ink >> 8) & 255, ink & 255, grey], 4 * pixel);
  });
  context.putImageData(pixels, 0, 0);
}
