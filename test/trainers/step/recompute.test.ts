import {
  add,
  customGrad,
  div,
  exp,
  log,
  max,
  mean,
  mul,
  op,
  randomNormal,
  range,
  reverse,
  serialization,
  square,
  sub,
  sum,
  type Tensor,
  tensor2d,
  train,
} from '@tensorflow/tfjs-core';
import {layers, type Sequential, sequential} from '@tensorflow/tfjs-layers';
import {meanSquaredError, ohemStep, type PerSampleLoss, topK} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../../support/backends';
import {tinyXs, tinyYs, weightValues} from '../../support/tinyModel';

const dense = () => layers.dense({units: 2, inputShape: [2], kernelInitializer: 'ones'});
const squares = (yTrue: Tensor, yPred: Tensor) => sum(square(sub(yTrue, yPred)), 1);

/** A layer of one's own under the name of one of tfjs. */
class Disguised extends layers.Layer {
  static className = 'Activation';
  override call(inputs: Tensor | Tensor[]): Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor;
    return mul(x, x.shape[0] as number);
  }
}

describeOnBackends('recompute', () => {
  const step = (model: Sequential, loss: PerSampleLoss = meanSquaredError(), select = topK({k: 2})) =>
    ohemStep(model, {loss, select, optimizer: train.sgd(0.1), backward: 'recompute'});

  describe('refuses, before anything changes,', () => {
    const expectRefused = (model: Sequential, loss: PerSampleLoss | undefined, message: RegExp) => {
      const before = weightValues(model);
      expect(() => step(model, loss)(tinyXs(), tinyYs())).toThrow(message);
      expect(weightValues(model)).toEqual(before);
    };

    it.each([
      ['the number of rows', (yTrue: Tensor, yPred: Tensor) => div(squares(yTrue, yPred), yPred.shape[0] as number)],
      [
        'the place of a row',
        (yTrue: Tensor, yPred: Tensor) => mul(squares(yTrue, yPred), range(1, (yPred.shape[0] as number) + 1)),
      ],
    ])('a loss that depends on %s', (_, loss) => {
      expectRefused(
        sequential({layers: [dense()]}),
        loss,
        /^ohemStep: loss must be known to treat each row independently for backward: 'recompute', got one that gives the kept rows other losses alone\. .* declare it: Object\.assign\(loss, \{rowwise: true\}\)\.$/,
      );
    });

    it('a layer of ones own, also under the name of one of tfjs, in a wrapper, or put over one', () => {
      const patched = dense();
      const call = patched.call.bind(patched);
      patched.call = (...args) => mul(call(...args) as Tensor, 2);
      const own = /got the layer .*, which is not one of tfjs-layers\. The kept rows alone/;
      expectRefused(sequential({layers: [dense(), new Disguised({})]}), undefined, own);
      expectRefused(sequential({layers: [patched]}), undefined, own);
      const wrapping = sequential({
        layers: [
          layers.reshape({targetShape: [1, 2], inputShape: [2]}),
          layers.timeDistributed({layer: new Disguised({})}),
          layers.flatten(),
          layers.dense({units: 2}),
        ],
      });
      expectRefused(wrapping, undefined, own);
      expect(serialization.SerializationMap.getMap().classNameMap.Activation?.[0]).not.toBe(Disguised);
    });

    it('a fixed batch size', () => {
      const model = sequential({layers: [layers.dense({units: 2, batchInputShape: [6, 2]})]});
      expectRefused(model, undefined, /got a batch size fixed at 6\. The kept rows alone/);
    });
  });

  it('takes a loss of ones own that judges each row by itself, and one that promises it', () => {
    for (const loss of [squares, Object.assign(squares.bind(null), {rowwise: true as const})]) {
      const model = sequential({layers: [dense()]});
      step(model, loss)(tinyXs(), tinyYs()).dispose();
      expect(weightValues(model)).not.toEqual(weightValues(sequential({layers: [dense()]})));
    }
  });
});

describeOnBackends('ohemStep', () => {
  it('cuts no op of ones own that has the name of one of tfjs, but not its gradient', () => {
    const logSoftmax = op({
      logSoftmax_: (logits: Tensor) =>
        customGrad((x, save) => {
          const [z, keep] = [x as Tensor, save as (tensors: Tensor[]) => void];
          const shifted = sub(z, max(z, 1, true));
          const value = sub(shifted, log(sum(exp(shifted), 1, true)));
          const mixed = mul(value, 1);
          keep([mixed]);
          return {value: mixed, gradFunc: (dy: Tensor) => add(dy, mul(reverse(dy, 0), 0.5))};
        })(logits),
    });
    const gradientsBy = (backward: 'pruned' | 'masked') => {
      const model = sequential({layers: [dense()]});
      const loss: PerSampleLoss = (yTrue, yPred) => mean(mul(yTrue, logSoftmax(yPred)), 1);
      ohemStep(model, {loss, select: topK({k: 2}), optimizer: train.sgd(1), backward})(tinyXs(), tinyYs()).dispose();
      return weightValues(model).flat();
    };
    const [pruned, masked] = [gradientsBy('pruned'), gradientsBy('masked')];
    expect(pruned.map((value) => value.toFixed(5))).toEqual(masked.map((value) => value.toFixed(5)));
  });

  it('finds slots that another step over the same optimizer has made', () => {
    const trained = (isOneStep: boolean) => {
      const [frozen, other] = [dense(), layers.dense({units: 2, kernelInitializer: 'ones'})];
      const model = sequential({layers: [frozen, other]});
      const options = {loss: meanSquaredError(), select: topK({k: 3}), optimizer: train.momentum(0.01, 0.9)};
      const first = ohemStep(model, options);
      const second = isOneStep ? first : ohemStep(model, options);
      frozen.trainable = false;
      for (let t = 0; t < 3; t++) first(tinyXs(), tinyYs()).dispose();
      frozen.trainable = true;
      for (let t = 0; t < 3; t++) second(tinyXs(), tinyYs()).dispose();
      return weightValues(model);
    };
    expect(trained(false)).toEqual(trained(true));
  });

  it('puts the state of a recurrent layer back after a batch that counts for nothing, and after an error', () => {
    const build = () =>
      sequential({
        layers: [
          layers.gru({units: 2, stateful: true, batchInputShape: [3, 2, 2], recurrentInitializer: 'glorotNormal'}),
        ],
      });
    const model = build();
    const state = () => [...((model.layers[0] as unknown as {states_: Tensor[]}).states_[0] as Tensor).dataSync()];
    const xs = (value: number) => add(randomNormal([3, 2, 2], 0, 1, 'float32', 3), value);
    const ys = tensor2d([1, 0, 0, 1, 1, 1], [3, 2]);
    let isFailing = false;
    const loss: PerSampleLoss = (yTrue, yPred) => {
      if (isFailing) throw new Error('no loss today');
      return squares(yTrue, yPred);
    };
    const taken = ohemStep(model, {loss, select: topK({k: 2}), optimizer: train.sgd(0.1)});
    taken(xs(0), ys).dispose();
    const before = state();
    taken(xs(Number.NaN), ys).dispose();
    expect(state()).toEqual(before);
    isFailing = true;
    expect(() => taken(xs(0), ys)).toThrow('no loss today');
    expect(state()).toEqual(before);
    isFailing = false;
    taken(xs(0), ys).dispose();
    expect(state()).not.toEqual(before);
  });
});
