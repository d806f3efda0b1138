import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  accuracySteps,
  constant,
  mapSelector,
  percentileSampling,
  type SelectionMap,
  scheduled,
  scored,
  topK,
} from 'ohem-tfjs';
import {expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';
import {keeps, lossRows, marks, selected} from '../support/selections';
import {leftBy} from '../support/tensors';

const asItIs: SelectionMap = (selection) => selection;
const scaled =
  (factor: number): SelectionMap =>
  ({indices, weights}) => ({indices, weights: tf.mul(weights, factor)});

describeOnBackends('mapSelector', () => {
  it('applies the function to what the selector returns', () => {
    const halved = mapSelector(topK({k: 2}), scaled(0.5));
    expect(selected(halved, [0.1, 0.9, 0.3])).toEqual({indices: [1, 2], weights: [0.5, 0.5]});
  });

  it('passes the selection, the losses and the context', () => {
    const f = vi.fn(asItIs);
    const [losses, context] = [tf.tensor1d([1, 2]), {step: 3, valid: marks([1, 1])}];
    tf.dispose(mapSelector(topK({k: 1}), f)(losses, context));
    expect(f.mock.calls[0]?.slice(1)).toEqual([losses, context]);
    expect(f.mock.calls[0]?.[2]).toBe(context);
    tf.dispose(mapSelector(topK({k: 1}), f)(losses));
    expect(f.mock.calls[1]?.[2]).toEqual({});
  });

  it('follows the law of maps: one after the other is the composition, and nothing changed is the selector', () => {
    const property = fc.property(
      lossRows,
      keeps,
      fc.double({min: 0, max: 4, noNaN: true}),
      fc.double({min: 0, max: 4, noNaN: true}),
      (losses, keep, a, b) => {
        const select = topK(keep);
        expect(selected(mapSelector(select, asItIs), losses)).toEqual(selected(select, losses));
        const nested = mapSelector(mapSelector(select, scaled(a)), scaled(b));
        const composed = mapSelector(select, (selection, ...rest) => scaled(b)(scaled(a)(selection, ...rest), ...rest));
        expect(selected(nested, losses)).toEqual(selected(composed, losses));
      },
    );
    fc.assert(property, RUNS);
  });

  it('keeps the schedule: counts fall as its state advances', () => {
    const select = mapSelector(
      mapSelector(
        scheduled(
          topK,
          accuracySteps([
            [0.8, 2],
            [0.9, 16],
          ]),
        ),
        asItIs,
      ),
      asItIs,
    );
    const {schedule} = select;
    const losses = Array.from({length: 64}, (_, row) => row);
    let state = schedule.init();
    const counts = [0, 0.85, 0.95].map((accuracy, step) => {
      state = schedule.next(state, {step, accuracy});
      return selected(select, losses, {step, schedule: state}).indices.length;
    });
    expect(counts).toEqual([64, 32, 4]);
  });

  it('keeps the memory: what it remembers is what the selector remembers', () => {
    const select = percentileSampling({power: 1, historyLength: 3});
    const mapped = mapSelector(mapSelector(select, scaled(2)), asItIs);
    const [losses, memory] = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])];
    const remembered = mapped.remember?.(losses, {memory}) as tf.Tensor1D;
    expect([...remembered.dataSync()]).toEqual([1, 2, 3]);
    expect(selected(mapped, [1, 2, 3], {memory: null, step: 2}).indices).toEqual(
      selected(select, [1, 2, 3], {memory: null, step: 2}).indices,
    );
  });

  it('has no state if the selector has none', () => {
    expect(Object.keys(mapSelector(topK({k: 1}), asItIs))).toEqual([]);
  });

  it('goes around a scored selector, and into one', () => {
    const easiest = scored(topK({k: 1}), tf.neg);
    expect(selected(mapSelector(easiest, scaled(3)), [3, 1, 2])).toEqual({indices: [1], weights: [3]});
    const scoredMap = scored(mapSelector(topK({k: 1}), scaled(3)), tf.neg);
    expect(selected(scoredMap, [3, 1, 2])).toEqual({indices: [1], weights: [3]});
  });

  it('throws without the state, in the name of the selector that has one', () => {
    const losses = tf.tensor1d([1, 2]);
    expect(() => mapSelector(scheduled(topK, constant(0.5)), asItIs)(losses)).toThrow(/^scheduled: schedule must be/);
    expect(() => mapSelector(percentileSampling({power: 1}), asItIs)(losses)).toThrow(
      /^percentileSampling: memory must/,
    );
  });

  it('leaves nothing but the selection, also when the function throws', () => {
    const losses = tf.tensor1d([1, 2, 3]);
    const wasteful: SelectionMap = ({indices, weights}) => ({indices, weights, more: tf.neg(weights)}) as never;
    const fails: SelectionMap = ({weights}) => {
      tf.neg(weights);
      throw new Error('no map');
    };
    const given: SelectionMap = ({indices}, ofRows) => ({indices, weights: tf.slice(ofRows, 0, indices.size)});
    for (const f of [asItIs, wasteful, given]) expect(leftBy(() => mapSelector(topK({k: 2}), f)(losses))).toBe(0);
    expect(leftBy(() => void expect(() => mapSelector(topK({k: 2}), fails)(losses)).toThrow('no map'))).toBe(0);
  });

  it.each([
    [() => undefined, 'undefined'],
    [() => null, 'null'],
    [async () => ({}), '{}'],
    [() => ({indices: [0], weights: [1]}), '{indices, weights}'],
    [({indices}) => ({indices}), '{indices}'],
    [({indices, weights}) => ({indices: weights, weights: indices}), '{indices, weights}'],
    [({indices}) => ({indices, weights: tf.ones([3])}), '{indices, weights}'],
    [({indices, weights}) => ({indices, weights: tf.reshape(weights, [2, 1])}), '{indices, weights}'],
  ] satisfies [(selection: ReturnType<SelectionMap>) => unknown, string][])(
    'refuses a function that returns no selection: %s',
    (f, shown) => {
      const select = mapSelector(topK({k: 2}), f as unknown as SelectionMap);
      const losses = tf.tensor1d([1, 2, 3]);
      const refused = () =>
        expect(() => select(losses)).toThrow(
          new TypeError(`mapSelector: f must return {indices: int32[K], weights: float32[K]}, got ${shown}.`),
        );
      expect(leftBy(() => void refused())).toBe(0);
    },
  );

  it('refuses what is no selector and what is no function when it is built', () => {
    expect(() => mapSelector({k: 3} as never, asItIs)).toThrow(
      new TypeError('mapSelector: selector must be a selector, got {k}. Build one: topK({ratio: 0.75}).'),
    );
    expect(() => mapSelector(topK({k: 3}), undefined as never)).toThrow(
      new TypeError('mapSelector: f must be a function from a selection to a selection, got undefined.'),
    );
  });
});
