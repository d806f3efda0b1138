import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {drawDigits} from '../../../../examples/mnist/data/drawnDigits';
import {seededRandom} from '../../../../examples/mnist/experiment/random';
import {areaOf, type Box, sharedArea} from '../../../../studies/kit/scenes/box';
import {drawScene, SCENE_PROTOCOL, type Scene, SIDE} from '../../../../studies/kit/scenes/scene';
import {RUNS} from '../../../support/property';

const digits = drawDigits({count: 100, seed: 3});
const seeds = fc.integer({min: 0, max: 2 ** 40});
const sceneOf = (seed: number): Scene => drawScene(digits, seededRandom(seed));

const isIn = ([y1, x1, y2, x2]: Box, at: number) => {
  const [y, x] = [Math.floor(at / SIDE), at % SIDE];
  return y >= y1 && y < y2 && x >= x1 && x < x2;
};
const pixels = Array.from({length: SIDE * SIDE}, (_, at) => at);

describe('A scene', () => {
  it('has one to five digits, each as it stands in its set, in boxes that hardly overlap', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const {objects} = sceneOf(seed);
        expect(objects.length).toBeGreaterThanOrEqual(1);
        expect(objects.length).toBeLessThanOrEqual(5);
        for (const [place, {box, label, row}] of objects.entries()) {
          expect(label).toBe(digits.labels[row]);
          expect(Math.min(box[0], box[1])).toBeGreaterThanOrEqual(0);
          expect(Math.max(box[2], box[3])).toBeLessThanOrEqual(SIDE);
          expect(areaOf(box)).toBeGreaterThan(0);
          for (const {box: other} of objects.slice(0, place)) {
            const most = SCENE_PROTOCOL.overlap * Math.min(areaOf(box), areaOf(other));
            expect(sharedArea(box, other)).toBeLessThanOrEqual(most);
          }
        }
      }),
      RUNS,
    );
  });

  it('has the pixels of each digit in its box, which is tight around them', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const {objects, labels} = sceneOf(seed);
        for (const at of pixels) {
          const label = labels[at] as number;
          if (label === 0) continue;
          expect(objects.some((object) => object.label + 1 === label && isIn(object.box, at))).toBe(true);
        }
        for (const {box, label} of objects) {
          if (objects.some((other) => other.box !== box && sharedArea(other.box, box) > 0)) continue;
          const own = pixels.filter((at) => isIn(box, at) && labels[at] === label + 1);
          const [ys, xs] = [own.map((at) => Math.floor(at / SIDE)), own.map((at) => at % SIDE)];
          expect([Math.min(...ys), Math.min(...xs), Math.max(...ys) + 1, Math.max(...xs) + 1]).toEqual([...box]);
        }
      }),
      {...RUNS, numRuns: 40},
    );
  });

  it('is the same for the same seed, and another for another', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(sceneOf(seed)).toEqual(sceneOf(seed));
        expect(sceneOf(seed).pixels).not.toEqual(sceneOf(seed + 1).pixels);
      }),
      {...RUNS, numRuns: 20},
    );
  });

  it('has fragments outside the boxes: bright pixels that are background', () => {
    const bright = SCENE_PROTOCOL.ground[1] + SCENE_PROTOCOL.noise;
    const fragments = Array.from({length: 20}, (_, seed) => {
      const {pixels: greys, labels, objects} = sceneOf(seed);
      return pixels.filter(
        (at) => (greys[at] as number) > bright && labels[at] === 0 && !objects.some(({box}) => isIn(box, at)),
      ).length;
    });
    expect(Math.min(...fragments)).toBeGreaterThan(20);
  });

  it('is mostly background', () => {
    const shares = Array.from({length: 200}, (_, seed) => {
      const {labels} = sceneOf(seed);
      return labels.filter((label) => label === 0).length / labels.length;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean).toBeGreaterThan(0.92);
    expect(mean).toBeLessThan(0.98);
  });
});
