import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import {drawDigits} from '../../../examples/mnist/data/drawnDigits';
import {SIDE} from '../../../studies/kit/scenes/scene';
import {scenesOf} from '../../../studies/kit/scenes/sceneSets';
import {segmentationLearner} from '../../../studies/segmentation/learner';
import {batchOf, disposeBatch} from '../../../studies/segmentation/pixelBatch';
import type {SegmentationRecord} from '../../../studies/segmentation/record';
import {rulesFor} from '../../../studies/segmentation/rules';
import {segmentation} from '../../../studies/segmentation/study';
import {seedOf} from '../../support/studyRun';

const digits = {train: drawDigits({count: 60, seed: 1}), test: drawDigits({count: 30, seed: 2})};
const TINY = {steps: 2, batchSize: 1, testScenes: 2, measureEvery: 2};
const PIXELS = SIDE * SIDE;

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

const withoutTimes = ({rules, ...rest}: SegmentationRecord) => ({
  ...rest,
  rules: rules.map(({msPerStep: _, ...record}) => record),
});

describe('The study of segmentation', () => {
  it('measures the same numbers again, and others for another seed', async () => {
    const [once, again, other] = [
      withoutTimes(await seedOf(segmentation, digits, TINY)),
      withoutTimes(await seedOf(segmentation, digits, TINY)),
      withoutTimes(await seedOf(segmentation, digits, {...TINY, steps: 1, seed: 2})),
    ];
    expect(again).toEqual(once);
    expect(other.rules[0]?.quality).not.toEqual(once.rules[0]?.quality);
    expect([once.sheet?.length, other.sheet]).toEqual([2, undefined]);
  });

  it.each([
    ['all pixels', PIXELS],
    ['focal loss', PIXELS],
    ['class weights', PIXELS],
    ['random 25 %', PIXELS / 4],
    ['topK 25 %', PIXELS / 4],
    ['topK 10 %', Math.round(PIXELS / 10)],
  ])('keeps as many pixels as %s says', async (name, due) => {
    const rule = rulesFor(1).find((other) => other.name === name) as ReturnType<typeof rulesFor>[number];
    const learner = segmentationLearner(rule, {seed: 1, test: []});
    const batch = batchOf(scenesOf(digits.train, 1, 0, 1));
    try {
      expect(await learner.step(batch)).toBe(due);
    } finally {
      disposeBatch(batch);
      learner.dispose();
    }
  });
});
