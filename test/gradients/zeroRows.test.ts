/** @file Rows whose gradients are 0 are left out of a walk, and nothing else is. */
import {
  dispose,
  mul,
  ones,
  scalar,
  sum,
  type Tensor,
  tensor,
  tensor1d,
  tensor2d,
  type Variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {differentiate, type ForwardPass} from '../../src/gradients/differentiate';
import {leadingPlace, rowCut} from '../../src/gradients/places';
import type {Start} from '../../src/gradients/walk';
import {withoutZeroRows} from '../../src/gradients/zeroRows';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {COMMON_MODELS, inputsFor} from '../support/commonModels';
import {drawFrom} from '../support/opCases';
import {randomFrom, repeatably} from '../support/property';
import {randomModel} from '../support/randomModels';
import {tidied} from '../support/tensors';
import {trainsOn} from '../support/wasmTraining';

/** A gradient `[B, 2]` that is 0 but at some rows. */
const gradientAt = (batchSize: number, rows: readonly number[], value = 1): Tensor =>
  tensor2d(Array.from({length: batchSize}, (_, row) => [0, rows.includes(row) ? value : 0]));

/** The rows that a walk takes, and the gradient that it begins with as one of all rows. */
function taken(batchSize: number, gradient: Tensor): {rows: number[]; whole: number[]} | undefined {
  return tidied(() => {
    const output = ones(gradient.shape);
    const shorter = withoutZeroRows([{tensor: output, value: gradient}], [output], batchSize);
    if (!shorter) return undefined;
    const [{value, place}] = shorter.starts as [Start];
    const whole = shorter.cut.put(value, place as never, gradient.shape);
    const found = {rows: Array.from(shorter.cut.rows.dataSync()), whole: Array.from(whole.dataSync())};
    shorter.cut.dispose();
    return found;
  });
}

describeOnBackends('withoutZeroRows', () => {
  it('takes the rows that have a gradient, and rows without one up to an eighth of the batch', () => {
    expect(taken(32, gradientAt(32, [3, 17, 30]))?.rows).toEqual([0, 3, 17, 30]);
    expect(taken(32, gradientAt(32, [0, 1, 2, 3, 9]))?.rows).toEqual([0, 1, 2, 3, 4, 5, 6, 9]);
    expect(taken(8, gradientAt(8, [5]))?.rows).toEqual([5]);
    expect(taken(3, gradientAt(3, [1, 2]))?.rows).toEqual([1, 2]);
    expect(taken(16, gradientAt(16, []))?.rows).toEqual([0, 1]);
  });

  it('changes nothing if whole shares make up the batch', () => {
    const all = Array.from({length: 16}, (_, row) => row);
    expect(taken(16, gradientAt(16, all))).toBeUndefined();
    expect(taken(16, gradientAt(16, all.slice(1)))).toBeUndefined();
    expect(taken(16, gradientAt(16, all.slice(2)))?.rows).toHaveLength(14);
    expect(taken(1, gradientAt(1, []))).toBeUndefined();
  });

  it('keeps every number of the gradient, NaN and the smallest too', () => {
    for (const value of [1, -1e-38, Number.NaN, Number.POSITIVE_INFINITY]) {
      const gradient = gradientAt(16, [4, 11], value);
      const want = Array.from(gradient.dataSync());
      expect(taken(16, gradient)?.whole).toEqual(want);
    }
    expect(taken(16, gradientAt(16, [4], -0))?.rows).toEqual([0, 1]);
  });

  it('goes by all outputs together, also by one whose rows are kept already', () => {
    tidied(() => {
      const [one, other, weight] = [ones([16, 2]), ones([16, 3]), ones([16, 4])];
      const before = rowCut(tensor1d([2, 9], 'int32'), 16);
      const placed = {value: ones([2, 3]), place: leadingPlace([16, 3], 16)};
      const starts: Start[] = [
        {tensor: one, value: gradientAt(16, [5])},
        {tensor: other, ...placed},
        {tensor: weight, value: ones([2, 4]), place: leadingPlace([16, 4], 16)},
      ];
      const {starts: found, cut} = withoutZeroRows(starts, [one, other], 16, before) as NonNullable<
        ReturnType<typeof withoutZeroRows>
      >;
      expect(Array.from(cut.rows.dataSync())).toEqual([0, 2, 5, 9]);
      expect(found.map(({value}) => value.shape)).toEqual([
        [4, 2],
        [4, 3],
        [16, 4],
      ]);
      expect(Array.from((found[1] as Start).value.dataSync())).toEqual([0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
      // What is no output of the model continues with all rows.
      expect((found[2] as Start).place).toBeUndefined();
      expect(sum((found[2] as Start).value).dataSync()[0]).toBe(8);
      cut.dispose();
      before.dispose();
    });
  });

  it('reads nothing and changes nothing if the rows are cut already, or lie on another axis', () => {
    tidied(() => {
      const output = ones([16, 2]);
      const cut = rowCut(tensor1d([2, 9], 'int32'), 16);
      const placed = {tensor: output, value: ones([2, 2]), place: leadingPlace([16, 2], 16)};
      expect(withoutZeroRows([placed], [output], 16, cut)).toBeUndefined();
      expect(placed.value.isDisposed).toBe(false);
      const across = ones([3, 16]);
      expect(withoutZeroRows([{tensor: across, value: mul(across, 0)}], [across], 16)).toBeUndefined();
      expect(withoutZeroRows([{tensor: output, value: mul(output, 0)}], [], 16)).toBeUndefined();
      const penalty = scalar(1);
      expect(withoutZeroRows([{tensor: penalty, value: scalar(1)}], [penalty], 16)).toBeUndefined();
      cut.dispose();
    });
  });
});

type Values = Record<string, number[]>;

interface Subject {
  variables: Variable[];
  given: Tensor[];
  outputs: () => Tensor;
}

/**
 * The gradients of Σ w · (a mean over all rows) · output by `differentiate`, rows of weight 0 left
 * out or not.
 */
function differentiated({variables, given, outputs}: Subject, weights: readonly number[], leaveOut: boolean) {
  return tidied(() => {
    const batchSize = weights.length;
    const forward: ForwardPass<Tensor> = {
      model: {compute: () => ({outputs: [outputs()], ops: 0}), given, targets: variables},
      loss: ({outputs: [output]}) => ({
        compute: () => ({outputs: [mixed(output as Tensor, weights)], ops: 0}),
        given: [],
        targets: [],
      }),
      objective: (_, [loss]) => ({
        seen: scalar(0),
        starts: [{tensor: loss as Tensor, value: scalar(1)}],
        ...(leaveOut && {leaveOut: batchSize}),
      }),
    };
    const {gradients, walked} = differentiate('differentiate', variables, forward);
    const values = Object.fromEntries(
      variables.map(({name, size}) => [name, Array.from(gradients[name]?.dataSync() ?? new Float32Array(size))]),
    );
    return {values, taken: walked?.taken, saved: walked?.saved ?? 0};
  });
}

/** A loss that mixes rows, without a gradient by those of weight 0. */
const mixed = (output: Tensor, weights: readonly number[]): Tensor => {
  const shape = [weights.length, ...output.shape.slice(1).map(() => 1)];
  const counted = sum(mul(output, tensor(Array.from(weights), shape)));
  return mul(counted, mul(counted, 0.1));
};

const byTfjs = ({variables, outputs}: Subject, weights: readonly number[]): Values =>
  tidied(() => {
    const {grads} = variableGrads(() => mixed(outputs(), weights) as never, variables);
    return Object.fromEntries(
      variables.map(({name, size}) => [name, Array.from(grads[name]?.dataSync() ?? new Float32Array(size))]),
    );
  });

function expectSame(got: Values, want: Values): void {
  for (const [name, values] of Object.entries(want)) {
    const largest = Math.max(...Object.values(want).flat().map(Math.abs));
    expectClose(got[name] as number[], values, {absolute: 1e-5 * largest + 1e-7, relative: 1e-4});
  }
}

describeOnBackends('A walk without rows of gradient 0', (backend) => {
  trainsOn(backend);

  it('gives the gradients of tfjs for random models, also for those whose rows interact', () => {
    let leftOut = 0;
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const draw = drawFrom(g);
        const batch = draw.int(2, 9);
        const {losses, variables} = repeatably(() => tidied(() => randomModel(draw, batch)));
        const subject = {variables, given: [], outputs: losses};
        const random = randomFrom(draw.int(1, 1e6));
        const weights = Array.from({length: batch}, () => (random() < 0.6 ? 0 : random() - 0.5));
        const {values, taken} = differentiated(subject, weights, true);
        expectSame(values, byTfjs(subject, weights));
        if (taken !== undefined) leftOut++;
        dispose(variables);
      }),
      {numRuns: 25},
    );
    expect(leftOut).toBeGreaterThan(5);
  });

  it.each(COMMON_MODELS.map((common) => [common.name, common] as const))('is as one with all rows: %s', (_, common) => {
    if (common.failsOn?.includes(backend)) return;
    const batch = 8;
    const [model, x] = [repeatably(() => common.build()), inputsFor(common, batch)];
    const subject: Subject = {
      variables: model.trainableWeights.map((weight) => weight.read() as Variable),
      given: [x],
      outputs: () => model.apply(x, {training: true}) as Tensor,
    };
    const weights = [0, 0, 0.7, 0, 0, -1.2, 0, 0];
    const [shorter, whole] = [true, false].map((leaveOut) => differentiated(subject, weights, leaveOut));
    expectSame(shorter?.values as Values, whole?.values as Values);
    expect([shorter?.taken, whole?.taken]).toEqual([2, undefined]);
    expectClose([shorter?.saved as number], [(common.share ?? 1) * 0.75], {
      absolute: common.share ? 0.2 : 1e-9,
      relative: 0,
    });
    model.dispose();
    x.dispose();
  });
});
