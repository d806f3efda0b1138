import '@tensorflow/tfjs-backend-wasm';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {beforeAll, describe, expect, it} from 'vitest';
import type {Digits} from '../../../examples/mnist/data/digits';
import {drawDigits} from '../../../examples/mnist/data/drawnDigits';
import {ANCHORS} from '../../../studies/detection/anchors';
import {detectionLearner} from '../../../studies/detection/learner';
import type {DetectionRecord} from '../../../studies/detection/record';
import {PER_SCENE, rulesFor} from '../../../studies/detection/rules';
import {batchOf, disposeBatch} from '../../../studies/detection/sceneBatch';
import {detection} from '../../../studies/detection/study';
import {scenesOf} from '../../../studies/kit/scenes/sceneSets';
import {seedOf} from '../../support/studyRun';

const train = drawDigits({count: 60, seed: 1});
const test = drawDigits({count: 30, seed: 2});
const TINY = {steps: 2, batchSize: 2, testScenes: 3, measureEvery: 1};

beforeAll(async () => {
  await setBackend('wasm');
  enableWasmTraining();
});

const withoutTimes = ({rules, ...rest}: DetectionRecord) => ({
  ...rest,
  rules: rules.map(({msPerStep: _, ...record}) => record),
});

const onlyOf = (digits: Digits, label: number): Digits => {
  const rows = [...digits.labels.keys()].filter((row) => digits.labels[row] === label);
  const images = Uint8Array.from(rows.flatMap((row) => [...digits.images.subarray(784 * row, 784 * (row + 1))]));
  return {count: rows.length, images, labels: Uint8Array.from(rows.map(() => label))};
};

describe('The study of detection', () => {
  it('measures the same numbers again, and others for another seed', async () => {
    const [once, again, other] = [
      withoutTimes(await seedOf(detection, {train, test}, TINY)),
      withoutTimes(await seedOf(detection, {train, test}, TINY)),
      withoutTimes(await seedOf(detection, {train, test}, {...TINY, steps: 1, seed: 2})),
    ];
    expect(again).toEqual(once);
    expect(once.rules.map(({measuredAt}) => measuredAt)).toEqual(once.rules.map(() => [1, 2]));
    expect([once.sheet?.length, other.sheet]).toEqual([3, undefined]);
    // Two scenes of another seed have other digits, and so another number of positives.
    expect(other.rules[2]?.kept[0]).not.toEqual(once.rules[2]?.kept[0]);
  });

  it('is the beginning of a longer run', async () => {
    const [short, long] = [
      await seedOf(detection, {train, test}, {...TINY, steps: 1}),
      await seedOf(detection, {train, test}, TINY),
    ];
    for (const [place, {quality, kept}] of short.rules.entries()) {
      expect(long.rules[place]?.quality.slice(0, 1)).toEqual(quality);
      expect(long.rules[place]?.kept.slice(0, 1)).toEqual(kept);
    }
  });

  it('shows test digits in test scenes alone, and trains on none', async () => {
    const ofThrees = {train: onlyOf(train, 3), test: onlyOf(test, 7)};
    const {sheet} = await seedOf(detection, ofThrees, {...TINY, steps: 1});
    expect(new Set(sheet?.flatMap(({objects}) => objects.map(({label}) => label)))).toEqual(new Set([7]));
    const batch = batchOf(scenesOf(ofThrees.train, 1, 0, 4));
    expect(new Set(batch.kinds.dataSync())).toEqual(new Set([0, 4]));
    disposeBatch(batch);
  });
});

describe('The rules of the study of detection', () => {
  const scenes = scenesOf(train, 1, 0, 2);
  const marks = () => {
    const batch = batchOf(scenes);
    const positive = batch.positive.dataSync<'float32'>();
    disposeBatch(batch);
    return [0, 1].map((scene) =>
      positive.subarray(scene * ANCHORS.length, (scene + 1) * ANCHORS.length).reduce((sum, mark) => sum + mark, 0),
    );
  };

  it.each([
    ['all anchors', () => 2 * ANCHORS.length],
    ['focal loss', () => 2 * ANCHORS.length],
    ['random 3 : 1', (positives: number[]) => positives.reduce((sum, count) => sum + 4 * count, 0)],
    ['hardNegatives 3 : 1', (positives: number[]) => positives.reduce((sum, count) => sum + 4 * count, 0)],
    ['topKPerGroup', () => 2 * PER_SCENE],
    ['nmsTopK', () => 2 * PER_SCENE],
    ['positiveNegativeQuota', () => 2 * PER_SCENE],
  ])('%s keeps as many anchors as it says', async (name, due) => {
    const rule = rulesFor(1, 2).find((other) => other.name === name) as ReturnType<typeof rulesFor>[number];
    const learner = detectionLearner(rule, {seed: 1, test: []});
    const batch = batchOf(scenes);
    try {
      expect(await learner.step(batch)).toBe(due(marks()));
    } finally {
      disposeBatch(batch);
      learner.dispose();
    }
  });
});
