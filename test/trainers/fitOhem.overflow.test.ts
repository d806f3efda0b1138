import * as tf from '@tensorflow/tfjs-core';
import {layers, sequential} from '@tensorflow/tfjs-layers';
import {fitOhem, saveTraining, type TrainingState} from 'ohem-tfjs';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {firstState} from '../../src/trainers/checkpoint/trainingState';
import {describeOnBackends, describeOnDevice} from '../support/backends';
import {shelf} from '../support/shelf';

function specification({isDevice}: {isDevice: boolean}): void {
  let warn: ReturnType<typeof vi.spyOn>;
  beforeEach(() => {
    tf.engine().startScope();
    warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => {
    warn.mockRestore();
    tf.engine().endScope();
  });

  /** Those of ours: tfjs greets in Node. */
  const warnings = () => warn.mock.calls.filter(([text]: unknown[]) => String(text).startsWith('fitOhem'));
  /** A weight of 1; an update at a rate of 1e38 overflows, though loss and gradient are finite. */
  function model(rate = 1e38) {
    const layer = layers.dense({units: 1, inputShape: [1], useBias: false, kernelInitializer: 'ones'});
    const made = sequential({layers: [layer]});
    made.compile({optimizer: tf.train.sgd(rate), loss: 'meanSquaredError'});
    return made;
  }
  const weightOf = (made: ReturnType<typeof model>) => made.getWeights()[0]?.dataSync()[0];
  const data = (): [tf.Tensor, tf.Tensor] => [tf.tensor2d([[10]]), tf.tensor2d([[0]])];
  const STATE = firstState(0, 1, undefined);

  it('warns once of a last step into infinity', async () => {
    const made = model();
    const {history} = await fitOhem(made, ...data(), {verbose: 0, restoreBestWeights: true});
    expect(history.loss).toEqual([100]);
    expect(weightOf(made)).toBe(Number.NEGATIVE_INFINITY);
    expect(warnings()).toEqual([
      [
        'fitOhem: the weights are not finite at the end of epoch 0: the model has diverged, and an update overflowed. ' +
          'They are never the best weights. Lower the learning rate, or set clipNorm.',
      ],
    ]);
  });

  it.skipIf(isDevice)('warns of it without best weights too, where a read is free', async () => {
    await fitOhem(model(), ...data(), {verbose: 0});
    expect(warn.mock.calls.flat()).toEqual([
      expect.stringContaining('the weights are not finite at the end of epoch 0'),
    ]);
  });

  it('restores the best weights that are finite', async () => {
    const made = model(0.001);
    const after: (number | undefined)[] = [];
    const {history, state} = await fitOhem(made, ...data(), {
      ...{epochs: 2, verbose: 0, restoreBestWeights: true},
      learningRate: ({epoch}) => (epoch === 0 ? 0.001 : 1e38),
      callbacks: {onEpochEnd: () => void after.push(weightOf(made))},
    });
    expect(history.loss?.[1]).toBeLessThan(history.loss?.[0] as number);
    expect(state.best?.epoch).toBe(0);
    expect(weightOf(made)).toBe(after[0]);
  });

  it('is never among the best weights of the state', async () => {
    const {state} = await fitOhem(model(), ...data(), {verbose: 0, restoreBestWeights: true});
    expect(state.best).toBeUndefined();
  });

  it('is not saved: the checkpoint before stays', async () => {
    const made = model();
    const {save, saved} = shelf();
    const before = tf.memory().numTensors;
    const checkpoint = (state: TrainingState) => saveTraining({save}, made, state);
    const [x, y] = data();
    await expect(fitOhem(made, x, y, {verbose: 0, checkpoint})).rejects.toThrow(
      /^saveTraining: weight dense_\w+\/kernel of model must be finite, got -Infinity\. The model has diverged: keep/,
    );
    expect(saved).toEqual([]);
    x.dispose();
    y.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is not saved as best weights either', async () => {
    const {save, saved} = shelf();
    const best = {epoch: 0, value: 1, weights: [[Number.NEGATIVE_INFINITY]]};
    await expect(saveTraining({save}, model(), {...STATE, best})).rejects.toThrow(
      'saveTraining: best.weights of state must be finite, got -Infinity.',
    );
    expect(saved).toEqual([]);
  });

  it('leaves a constant of a model alone that is infinite', async () => {
    const made = sequential({
      layers: [layers.dense({units: 1, inputShape: [1], trainable: false}), layers.dense({units: 1})],
    });
    made.compile({optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError'});
    made.layers[0]?.setWeights([tf.tensor2d([[0]]), tf.tensor1d([Number.NEGATIVE_INFINITY])]);
    const {save, saved} = shelf();
    await saveTraining({save}, made, STATE);
    expect(saved).toHaveLength(1);
  });
}

describeOnBackends('An update that overflows', () => specification({isDevice: false}));
describeOnDevice('An update that overflows, on a device', () => specification({isDevice: true}));
