import * as tf from '@tensorflow/tfjs-core';
import * as ohem from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {modelLosses} from '../../src/models/modelLosses';
import {describeOnBackends} from '../support/backends';
import {lossGradient, valuesOf} from '../support/tensors';
import {tinyModel} from '../support/tinyModel';

/** The names in tfjs-layers of the losses that are written here. */
const OWN: Record<string, ohem.PerSampleLoss> = {
  binaryCrossentropy: ohem.binaryCrossentropy(),
  categoricalCrossentropy: ohem.categoricalCrossentropy(),
  categoricalHinge: ohem.categoricalHinge(),
  cosineProximity: ohem.cosineSimilarity(),
  hinge: ohem.hinge(),
  kullbackLeiblerDivergence: ohem.kullbackLeiblerDivergence(),
  logcosh: ohem.logCosh(),
  meanAbsoluteError: ohem.meanAbsoluteError(),
  meanSquaredError: ohem.meanSquaredError(),
  poisson: ohem.poisson(),
  sparseCategoricalCrossentropy: ohem.sparseCategoricalCrossentropy(),
  squaredHinge: ohem.squaredHinge(),
};

/** What tfjs-layers computes as it is computed here, also for these rows. */
const SAME_IN_LAYERS = ['logcosh', 'meanSquaredError'];

const outcome = (name: string, loss: ohem.PerSampleLoss) => {
  const yPred = tf.tensor2d([0, 0, 0, 0.1], [2, 2]);
  const yTrue = name.startsWith('sparse') ? tf.tensor2d([[1], [0]]) : tf.tensor2d([0, 1, 1, 0], [2, 2]);
  return [valuesOf(() => loss(yTrue, yPred)), lossGradient(loss, yTrue, yPred)];
};

describeOnBackends('modelLosses', () => {
  it.each(Object.entries(OWN))('takes the loss of this library for %s', (name, own) => {
    const [found] = modelLosses('f', tinyModel(), name as ohem.LossName) as [ohem.PerSampleLoss];
    expect(outcome(name, found)).toEqual(outcome(name, own));
    const ofLayers = outcome(name, ohem.fromLayersLoss(name as ohem.LossName));
    if (!SAME_IN_LAYERS.includes(name)) expect(outcome(name, found)).not.toEqual(ofLayers);
  });
});
