import {type Tensor, tensor, tensor1d, tidy, train, zeros} from '@tensorflow/tfjs-core';
import {
  categoricalCrossentropy,
  fitOhem,
  hardNegatives,
  ohemStep,
  type PerSampleLoss,
  reducibleLoss,
  type Selector,
  type StepOptions,
  scored,
  sparseCategoricalCrossentropy,
  topK,
  topKPerGroup,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {sequenceModel, sequencesFrom} from '../support/sequenceModel';
import {tinyModel, tinyXs, tinyYs} from '../support/tinyModel';

interface Mined {
  losses: number[];
  kept: number[][];
}

/** What a step reports of a batch. */
const mined = (step: ReturnType<typeof ohemStep>, xs: Tensor, ys: Tensor, options: StepOptions): Mined =>
  tidy(() => {
    const {losses, selection} = step(xs, ys, options);
    const kept = [selection.indices, selection.weights].map((values) => [...values.dataSync()]);
    return {losses: [...losses.dataSync()], kept} as never;
  });

describeOnBackends('A step', () => {
  const ofRows = (select: Selector, options: StepOptions): Mined => {
    const loss = categoricalCrossentropy();
    return mined(ohemStep(tinyModel(), {loss, select, optimizer: train.sgd(0)}), tinyXs(), tinyYs(), options);
  };

  describe('takes for [B] what has the shape [B, 1]:', () => {
    const marks = [0, 1, 0, 0, 1, 1];
    const halves = topK({ratio: 0.5});
    const cases: [keyof StepOptions, number[], Selector][] = [
      ['valid', marks, halves],
      ['positive', marks, hardNegatives({ratio: 1})],
      ['group', [0, 0, 1, 1, 2, 2], topKPerGroup({k: 1})],
      ['reference', [9, 0, 9, 0, 9, 0], scored(halves, reducibleLoss())],
      ['sampleWeight', [3, 0, 3, 0, 3, 0], halves],
    ];
    it.each(cases)('%s', (name, values, select) => {
      const of = (shape: number[]) => ({[name]: tensor(values, shape, name === 'group' ? 'int32' : 'float32')});
      const plain = ofRows(select, of([6]));
      expect(ofRows(select, of([6, 1]))).toEqual(plain);
      if (name === 'valid' || name === 'sampleWeight') expect(plain).not.toEqual(ofRows(select, {}));
    });
  });

  it('takes for [B, P] and [B·P] what has another axis of 1, when elements are mined', () => {
    const {xs, ys} = sequencesFrom(3, 2, 3);
    const ofElements = (select: Selector, options: StepOptions): Mined => {
      const loss = sparseCategoricalCrossentropy();
      const step = ohemStep(sequenceModel(3), {loss, select, optimizer: train.sgd(0), granularity: 'element'});
      return mined(step, xs, ys, options);
    };
    const marks = [0, 1, 0, 0, 1, 1];
    for (const [name, select] of [
      ['valid', topK({k: 2})],
      ['positive', hardNegatives({ratio: 1})],
      ['sampleWeight', topK({k: 2})],
    ] as const) {
      const plain = ofElements(select, {[name]: tensor(marks, [2, 3])});
      expect(ofElements(select, {[name]: tensor(marks, [2, 3, 1])})).toEqual(plain);
      if (name !== 'sampleWeight') expect(ofElements(select, {[name]: tensor(marks, [6, 1])})).toEqual(plain);
    }
    const ofRow = ofElements(topK({k: 2}), {sampleWeight: tensor1d([1, 3])});
    expect(ofElements(topK({k: 2}), {sampleWeight: tensor([1, 3], [2, 1])})).toEqual(ofRow);
  });

  it.each([
    [[6, 2], '[6, 2]'],
    [[6, 1, 1], '[6, 1, 1]'],
    [[5, 1], '[5, 1]'],
  ])('still refuses sample weights of another shape (%s)', (shape, shown) => {
    expect(() => ofRows(topK({k: 2}), {sampleWeight: zeros(shape)})).toThrow(
      `ohemStep: sampleWeight must have shape [6], one value for each row, got ${shown}.`,
    );
  });
});

describeOnBackends('fitOhem', () => {
  it('takes weights and context of shape [N, 1]', async () => {
    const loss: PerSampleLoss = categoricalCrossentropy();
    const kept = async (shape: number[]) => {
      const options = {loss, select: topK({k: 2}), optimizer: train.sgd(0), batchSize: 3, seed: 1, verbose: 0} as const;
      const sampleWeight = tensor([1, 2, 0, 1, 5, 1], shape);
      const context = {valid: tensor([1, 0, 1, 1, 1, 1], shape)};
      return (await fitOhem(tinyModel(), tinyXs(), tinyYs(), {...options, sampleWeight, context})).history;
    };
    expect(await kept([6, 1])).toEqual(await kept([6]));
  });
});
