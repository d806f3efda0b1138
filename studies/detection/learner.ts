import {dispose, div, maximum, mul, onesLike, slice, sum, type Tensor, tidy, train} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {ohemStep, smoothL1} from 'ohem-tfjs';
import type {Scene} from '../kit/scenes/scene';
import {pixelsOf} from '../kit/scenes/sceneSets';
import type {Learner} from '../kit/trainInTurn';
import {ANCHORS} from './anchors';
import {type DetectionQuality, qualityOf} from './averagePrecision';
import {type Detection, detectionsOf} from './detections';
import {detector} from './detector';
import type {Rule} from './rules';
import type {SceneBatch} from './sceneBatch';

/** Scenes that are looked at together. */
const CHUNK = 25;

/** A detector that is trained by a rule. */
export interface DetectionLearner extends Learner<SceneBatch, DetectionQuality> {
  /** What it found in each test scene when it was last measured. */
  latest(): Detection[][];
}

/**
 * Builds a detector that is trained by a rule, as docs/detection.md has it: by the losses of kinds
 * and boxes over the positives of the batch, boxes on positives alone.
 */
export function detectionLearner(
  {name, select, loss, isOneHot, readsBoxes}: Rule,
  {seed, test}: {seed: number; test: readonly Scene[]},
): DetectionLearner {
  const model = detector(seed);
  const optimizer = train.adam(0.001);
  const step = ohemStep(model, {
    ...{loss: {kinds: loss, boxes: smoothL1()}, lossWeights: {boxes: 4}, select, optimizer},
    ...{granularity: 'element', reduction: 'sum'},
  });
  let latest: Detection[][] = [];
  return {
    name,
    latest: () => latest,
    async step({xs, kinds, oneHotKinds, boxes, positive, anchorBoxes}) {
      const sampleWeight = weightsOf(positive);
      const context = {positive, sampleWeight, ...(readsBoxes && {boxes: anchorBoxes})};
      try {
        return (await step(xs, {kinds: isOneHot ? oneHotKinds : kinds, boxes}, context).read()).kept;
      } finally {
        dispose(sampleWeight);
      }
    },
    setLearningRate(rate) {
      // Adam has no setter for it.
      (optimizer as unknown as {learningRate: number}).learningRate = rate;
    },
    async measure() {
      latest = detectIn(model, test);
      return qualityOf(test.map(({objects}, scene) => ({objects, detections: latest[scene] as Detection[]})));
    },
    dispose() {
      step.dispose();
      optimizer.dispose();
      model.dispose();
    },
  };
}

/** Weights of each anchor: 1 / positives for its kind, and for its box if it is positive. */
const weightsOf = (positive: Tensor): {kinds: Tensor; boxes: Tensor} =>
  tidy(() => {
    const perPositive = div(1, maximum(sum(positive), 1));
    return {kinds: mul(onesLike(positive), perPositive), boxes: mul(positive, perPositive)};
  });

function detectIn(model: LayersModel, scenes: readonly Scene[]): Detection[][] {
  const detections: Detection[][] = [];
  for (let from = 0; from < scenes.length; from += CHUNK) {
    const chunk = scenes.slice(from, from + CHUNK);
    tidy(() => {
      const [kinds, offsets] = model.predict(pixelsOf(chunk)) as [Tensor, Tensor];
      for (const scene of chunk.keys()) {
        const ofScene = (tensor: Tensor) => slice(tensor, [scene, 0, 0], [1, ANCHORS.length, -1]).dataSync();
        detections.push(detectionsOf(ofScene(kinds), ofScene(offsets)));
      }
    });
  }
  return detections;
}
