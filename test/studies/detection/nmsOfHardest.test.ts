import '@tensorflow/tfjs-backend-cpu';
import {memory, setBackend, type Tensor2D, tensor1d, tensor2d} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {nmsTopK, type Selection} from 'ohem-tfjs';
import {beforeAll, expect, it} from 'vitest';
import {nmsOfHardest} from '../../../studies/detection/nmsOfHardest';
import {RUNS} from '../../support/property';

beforeAll(async () => {
  await setBackend('cpu');
});

const rows = fc.array(
  fc.record({
    loss: fc.integer({min: 0, max: 8}),
    y: fc.integer({min: 0, max: 6}),
    x: fc.integer({min: 0, max: 6}),
    group: fc.integer({min: 0, max: 1}),
    valid: fc.integer({min: 0, max: 3}),
  }),
  {minLength: 4, maxLength: 24},
);

const keptOf = ({indices, weights}: Selection) => {
  const [places, counts] = [indices.dataSync(), weights.dataSync()];
  indices.dispose();
  weights.dispose();
  return [...places].filter((_, slot) => counts[slot] === 1);
};

it('nmsOfHardest keeps the rows of nmsTopK, in their order, as long as there are enough among the hardest', () => {
  fc.assert(
    fc.property(rows, fc.integer({min: 1, max: 4}), fc.integer({min: 1, max: 6}), (given, k, among) => {
      const before = memory().numTensors;
      const losses = tensor1d(given.map(({loss}) => loss / 4));
      const context = {
        boxes: tensor2d(given.map(({y, x}) => [y, x, y + 4, x + 4])) as Tensor2D,
        group: tensor1d(
          given.map(({group}) => group),
          'int32',
        ),
        valid: tensor1d(given.map(({valid}) => Math.min(valid, 1))),
      };
      const whole = keptOf(nmsTopK({k, iouThreshold: 0.4})(losses, context));
      const kept = keptOf(nmsOfHardest({k, iouThreshold: 0.4, among})(losses, context));
      expect(kept).toEqual(whole.slice(0, kept.length));
      if (among * k >= given.length) expect(kept).toEqual(whole);
      losses.dispose();
      for (const tensor of Object.values(context)) tensor.dispose();
      expect(memory().numTensors).toBe(before);
    }),
    RUNS,
  );
});
