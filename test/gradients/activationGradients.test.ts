import {dispose, getGradient, type Tensor, tensor, tidy, zeros} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {expect, it} from 'vitest';
import {activationGradient} from '../../src/gradients/activationGradients';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';

const number = fc.oneof(
  fc.float({min: -2, max: 2, noNaN: true}),
  fc.constantFrom(0, -0, 1, -1, 1e-40, 3e38, Number.NaN, Number.POSITIVE_INFINITY),
);

/** The gradient that tfjs has registered, which takes saved tensors. */
const byTfjs = (name: string, dy: Tensor, y: Tensor): Tensor => {
  const gradient = getGradient(name)?.gradFunc as unknown as (dy: Tensor, saved: Tensor[]) => Record<'x', () => Tensor>;
  return gradient(dy, [y]).x();
};

describeOnBackends('The gradient of an activation in one kernel', (backend) => {
  const bitsOfTfjs = (name: string) =>
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number), {minLength: 1, maxLength: 40}), (pairs) =>
        tidy(() => {
          const [dy, y] = [0, 1].map((i) =>
            tensor(
              pairs.map((pair) => pair[i] as number),
              [1, pairs.length],
            ),
          ) as [Tensor, Tensor];
          const found = activationGradient(name, y, dy) as Tensor;
          expect(found.shape).toEqual(y.shape);
          expect([...found.dataSync()]).toEqual([...byTfjs(name, dy, y).dataSync()]);
        }),
      ),
      RUNS,
    );

  it.each(['Relu', 'Tanh', 'Sigmoid'])('has the bits of tfjs: %s', bitsOfTfjs);

  it.runIf(backend === 'wasm')('has them with enableWasmTraining, of any number of numbers', () => {
    const few = tensor([1]);
    const many = zeros([64, 33]);
    const restore = enableWasmTraining();
    restore();
    expect(tidy(() => activationGradient('Relu', many, many))).toBeUndefined();
    enableWasmTraining();
    try {
      for (const name of ['Relu', 'Tanh', 'Sigmoid']) bitsOfTfjs(name);
      for (const y of [few, many]) expect(tidy(() => activationGradient('Relu', y, y)?.shape)).toEqual(y.shape);
    } finally {
      restore();
      dispose([few, many]);
    }
  });

  it('is none for other ops, and for shapes that differ', () => {
    tidy(() => {
      const dy = tensor([1, 2], [1, 2]);
      for (const name of ['Elu', 'Relu6', 'Prelu', 'toString'])
        expect(activationGradient(name, dy, dy)).toBeUndefined();
      expect(activationGradient('Relu', undefined, dy)).toBeUndefined();
      expect(activationGradient('Relu', tensor([1, 2], [2, 1]), dy)).toBeUndefined();
    });
  });
});
