import {argMax, type Tensor, tidy, train} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {ohemStep} from 'ohem-tfjs';
import {type Scene, SIDE} from '../kit/scenes/scene';
import {pixelsOf} from '../kit/scenes/sceneSets';
import type {Learner} from '../kit/trainInTurn';
import type {PixelBatch} from './pixelBatch';
import {pixelKinds} from './pixelKinds';
import {pixelQualityOf, type SegmentationQuality} from './pixelScores';
import type {Rule} from './rules';
import {uNet} from './uNet';

/** Scenes that are looked at together. */
const CHUNK = 10;

/** A network that is trained by a rule. */
export interface SegmentationLearner extends Learner<PixelBatch, SegmentationQuality> {
  /** What it took each pixel of the test scenes for when it was last measured. */
  latest(): Uint8Array[];
}

/** Builds a network that is trained by a rule. */
export function segmentationLearner(
  {name, select, loss, isOneHot}: Rule,
  {seed, test}: {seed: number; test: readonly Scene[]},
): SegmentationLearner {
  const model = uNet(seed);
  const optimizer = train.adam(0.001);
  const step = ohemStep(model, {loss, select, optimizer, granularity: 'element'});
  let latest: Uint8Array[] = [];
  return {
    name,
    latest: () => latest,
    step: async ({xs, kinds, oneHotKinds}) => (await step(xs, isOneHot ? oneHotKinds : kinds).read()).kept,
    setLearningRate(rate) {
      // Adam has no setter for it.
      (optimizer as unknown as {learningRate: number}).learningRate = rate;
    },
    async measure() {
      latest = kindsIn(model, test);
      return pixelQualityOf(
        test.map(({labels}, scene) => ({truth: pixelKinds(labels), found: latest[scene] as Uint8Array})),
      );
    },
    dispose() {
      step.dispose();
      optimizer.dispose();
      model.dispose();
    },
  };
}

/** The likeliest kind of each pixel of some scenes. */
function kindsIn(model: LayersModel, scenes: readonly Scene[]): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let from = 0; from < scenes.length; from += CHUNK) {
    const chunk = scenes.slice(from, from + CHUNK);
    const kinds = tidy(() => argMax(model.predict(pixelsOf(chunk)) as Tensor, -1).dataSync<'int32'>());
    for (const scene of chunk.keys()) {
      found.push(Uint8Array.from(kinds.subarray(scene * SIDE * SIDE, (scene + 1) * SIDE * SIDE)));
    }
  }
  return found;
}
