import {
  add,
  concat,
  mean,
  memory,
  mul,
  ones,
  reshape,
  slice,
  sum,
  type Tensor1D,
  tensor,
  tensor1d,
  tidy,
  train,
} from '@tensorflow/tfjs-core';
import {all, categoricalCrossentropy, ohemLoss, ohemStep, type SelectionContext, type Selector, topK} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {sequenceModel, sequencesFrom} from '../support/sequenceModel';
import {tinyModel, tinyXs, tinyYs, weightValues} from '../support/tinyModel';

const STRATEGIES = ['masked', 'recompute', 'pruned', 'auto'] as const;
const CLOSE = {absolute: 1e-5, relative: 1e-5};

/** Remembers how many rows it has seen and what they added up to; records its arguments. */
function summing() {
  const asked: {
    what: 'select' | 'remember';
    memory: number[] | null | undefined;
    losses: number[];
    step: number | undefined;
  }[] = [];
  const note = (what: 'select' | 'remember', losses: Tensor1D, context: SelectionContext = {}) => {
    const seen = context.memory && [...context.memory.dataSync()];
    asked.push({what, memory: seen, losses: [...losses.dataSync()], step: context.step});
  };
  const select: Selector = (losses, context) => {
    note('select', losses, context);
    return topK({k: 2})(losses, context);
  };
  select.remember = (losses, context) => {
    note('remember', losses, context);
    return tidy(() => {
      const seen = tensor1d([losses.size, ...sum(losses).dataSync()]);
      return context?.memory ? add(context.memory, seen) : seen;
    });
  };
  return {select, asked};
}

describeOnBackends('A selector that remembers', () => {
  const loss = categoricalCrossentropy();
  const options = () => ({loss, optimizer: train.sgd(0)});

  describe.each(STRATEGIES)('in a step by %s', (backward) => {
    it('is called after the selection, with the same losses, and gets the result in the next step', () => {
      const {select, asked} = summing();
      const step = ohemStep(tinyModel(), {...options(), select, backward});
      const losses = [0, 1, 2].map(() => {
        const report = step(tinyXs(), tinyYs());
        return [...report.losses.dataSync()];
      });
      const total = (losses[0] as number[]).reduce((all, one) => all + one);
      // Beforehand it may be called with losses that are all 0, to learn how many rows it keeps.
      const real = asked.filter(({losses: given}) => given.some((value) => value !== 0));
      expect(real.map(({what}) => what)).toEqual(['select', 'remember', 'select', 'remember', 'select', 'remember']);
      for (const [place, {losses: given, step: at}] of real.entries()) {
        expectClose(given, losses[Math.floor(place / 2)] as number[], CLOSE);
        expect(at).toBe(Math.floor(place / 2));
      }
      expect(real.slice(0, 2).map(({memory: seen}) => seen)).toEqual([null, null]);
      for (const [place, {memory: seen}] of real.slice(2).entries()) {
        const steps = Math.floor(place / 2) + 1;
        expectClose(seen as number[], [6 * steps, total * steps], CLOSE);
      }
      expect(asked.filter(({what}) => what === 'remember')).toHaveLength(3);
    });

    it('has one tensor on the device, and none after dispose()', () => {
      const [xs, ys] = [tinyXs(), tinyYs()];
      const {select} = summing();
      const before = memory();
      const [model, optimizer] = [tinyModel(), train.sgd(0.1)];
      const own = memory().numTensors - before.numTensors;
      const step = ohemStep(model, {loss, optimizer, select, backward});
      step(xs, ys).dispose();
      const remembering = memory();
      expect(remembering.numTensors - before.numTensors).toBe(own + 1);
      for (let t = 0; t < 300; t++) step(xs, ys).dispose();
      expect([memory().numTensors, memory().numDataBuffers]).toEqual([
        remembering.numTensors,
        remembering.numDataBuffers,
      ]);
      step.dispose();
      step.dispose();
      expect(memory().numTensors - before.numTensors).toBe(own);
    });

    const failures: [
      string,
      (parts: {loss: typeof loss; select: Selector; optimizer: ReturnType<typeof train.sgd>}) => void,
    ][] = [
      [
        'the optimizer',
        (parts) => {
          parts.optimizer.applyGradients = () => {
            throw new Error('not today');
          };
        },
      ],
      [
        'the selector, when its remember is called',
        (parts) => {
          parts.select.remember = () => {
            throw new Error('not today');
          };
        },
      ],
    ];
    it.each(failures)('stays as it was after a step in which %s throws', (_, fail) => {
      const {select, asked} = summing();
      const parts = {...options(), select};
      const [{applyGradients}, {remember}] = [parts.optimizer, select];
      const step = ohemStep(tinyModel(), {...parts, backward});
      const [xs, ys] = [tinyXs(), tinyYs()];
      step(xs, ys).dispose();
      const before = memory();
      fail(parts);
      for (let attempt = 0; attempt < 3; attempt++) expect(() => step(xs, ys)).toThrow('not today');
      expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
      parts.optimizer.applyGradients = applyGradients;
      Object.assign(select, {remember});
      asked.length = 0;
      step(xs, ys).dispose();
      expect(asked.at(-1)?.memory?.[0]).toBe(6);
    });
  });

  it('may remember the losses themselves, or what it remembered before, or a part of it', () => {
    const [xs, ys] = [tinyXs(), tinyYs()];
    const memories: Record<string, (losses: Tensor1D, context?: SelectionContext) => Tensor1D> = {
      losses: (losses) => losses,
      before: (_, context) => context?.memory ?? tensor1d([1]),
      'the last of all': (losses, context) =>
        tidy(() => (context?.memory ? slice(concat([context.memory, losses]), [2], [6]) : losses)),
    };
    for (const remember of Object.values(memories)) {
      const seen: (number[] | null | undefined)[] = [];
      const select: Selector = (losses, context) => {
        seen.push(context?.memory && [...context.memory.dataSync()]);
        return all()(losses, context);
      };
      select.remember = remember;
      const step = ohemStep(tinyModel(), {...options(), select, backward: 'masked'});
      step(xs, ys).dispose();
      const before = memory().numTensors;
      for (let t = 0; t < 3; t++) step(xs, ys).dispose();
      expect(memory().numTensors).toBe(before);
      expect(seen[0]).toBeNull();
      expect(seen.slice(1).every((values) => values?.every(Number.isFinite))).toBe(true);
    }
  });

  it('chooses by what it remembers', () => {
    /** Keeps the rows that are above the mean loss of the batch before. */
    const overLastMean: Selector = (losses, context = {}) =>
      tidy(() => {
        const {indices, weights} = all()(losses, context);
        const values = [...losses.dataSync()];
        const limit = context.memory?.dataSync()[0] ?? 0;
        const marks = [...indices.dataSync()].map((row) => ((values[row] as number) > limit ? 1 : 0));
        return {indices, weights: mul<Tensor1D>(weights, tensor1d(marks))};
      });
    overLastMean.remember = (losses) => tidy(() => reshape(mean(losses), [1]) as Tensor1D);
    const step = ohemStep(tinyModel(), {...options(), select: overLastMean, backward: 'masked'});
    const kept = [0, 1].map(() => [...step(tinyXs(), tinyYs()).selection.weights.dataSync()]);
    expect(kept[0]).toEqual([1, 1, 1, 1, 1, 1]);
    expect(kept[1]?.filter((weight) => weight > 0)).toHaveLength(2);
  });

  it('sees the losses of all elements where these are mined', () => {
    const {select, asked} = summing();
    const {xs, labels} = sequencesFrom(3, 2, 4);
    const ys = tensor(
      labels.flatMap((label) => [1 - label, label]),
      [2, 4, 2],
    );
    const step = ohemStep(sequenceModel(4), {...options(), select, granularity: 'element'});
    for (let t = 0; t < 2; t++) step(xs, ys).dispose();
    expect(asked.map(({what}) => what)).toEqual(['select', 'remember', 'select', 'remember']);
    expect(asked.at(-1)?.memory?.[0]).toBe(8);
  });

  it('gets another memory if the caller passes one', () => {
    const {select, asked} = summing();
    const step = ohemStep(tinyModel(), {...options(), select, backward: 'masked'});
    step(tinyXs(), tinyYs(), {memory: tensor1d([100, 0])}).dispose();
    step(tinyXs(), tinyYs()).dispose();
    expect(asked.map(({memory: seen}) => seen?.[0])).toEqual([100, 100, 106, 106]);
  });

  it('is refused where what it remembers is no tensor of one axis', () => {
    const remembering = (what: unknown) =>
      Object.assign<Selector, Pick<Selector, 'remember'>>(topK({k: 2}).bind(null), {remember: () => what as Tensor1D});
    const model = tinyModel();
    const before = weightValues(model);
    const learning = {loss, optimizer: train.sgd(0.1)};
    expect(() => ohemStep(model, {...learning, select: remembering(ones([2, 3]))})(tinyXs(), tinyYs())).toThrow(
      'ohemStep: select must remember a tensor of one axis, got [2, 3]. Flatten it with tf.reshape(x, [-1]).',
    );
    expect(() => ohemStep(model, {...learning, select: remembering([1, 2])})(tinyXs(), tinyYs())).toThrow(
      'ohemStep: select must remember a tensor of one axis, got [1, 2]. Flatten it with tf.reshape(x, [-1]).',
    );
    expect(weightValues(model)).toEqual(before);
  });

  it('is refused by ohemLoss, which could not dispose its memory', () => {
    expect(() => ohemLoss(loss, summing().select)).toThrow(
      'ohemLoss: select must depend on the batch alone, got one with a memory. ' +
        'Use ohemStep, which carries the memory and disposes it.',
    );
  });
});
