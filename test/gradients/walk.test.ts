import {dispose, memory, mul, scalar, sum, type Tensor, tensor1d, tidy, variableGrads} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {record} from '../../src/engine';
import {leadingPlace, rowCut} from '../../src/gradients/places';
import {walkBack} from '../../src/gradients/walk';
import {describeOnBackends} from '../support/backends';
import {norm} from '../support/close';
import {drawFrom} from '../support/opCases';
import {RUNS, randomFrom, repeatably} from '../support/property';
import {type RandomModel, randomModel} from '../support/randomModels';

interface Kept {
  batch: number;
  rows: number[];
  weights: number[];
}

type Values = Record<string, number[]>;

/** The gradients of the weighted losses of the kept rows by `walkBack`, cut or not. */
function walked(model: RandomModel, {batch, rows, weights}: Kept, isCut: boolean) {
  return tidy(() => {
    const {result: losses, tape} = record(() => model.losses());
    const at = tensor1d(rows, 'int32');
    const cut = rowCut(at, batch);
    const place = leadingPlace(losses.shape, batch);
    const values = tensor1d(weights);
    const start = isCut
      ? {tensor: losses, value: values, place}
      : {tensor: losses, value: cut.put(values, place, losses.shape)};
    const outcome = walkBack('walk', tape.ops, [start], model.variables, isCut ? cut : undefined);
    const gradients = Object.fromEntries(
      Object.entries(outcome.gradients).map(([name, value]) => [name, [...value.dataSync()]]),
    );
    tape.dispose();
    cut.dispose();
    return {...outcome, gradients};
  });
}

/** The same by tfjs. */
function reference(model: RandomModel, {batch, rows, weights}: Kept): Values {
  return tidy(() => {
    const whole = new Array<number>(batch).fill(0);
    for (const [i, row] of rows.entries()) whole[row]! += weights[i] as number;
    const {grads} = variableGrads(() => sum(mul(model.losses(), tensor1d(whole))), model.variables);
    return Object.fromEntries(Object.entries(grads).map(([name, value]) => [name, [...value.dataSync()]]));
  });
}

/** Expects the same gradients, to 1e-5 of their norm; some true gradients are 0, such as that of a bias before a batch norm. */
function expectSame(got: Values, want: Values): void {
  const largest = Math.max(...Object.values(want).map(norm));
  for (const [name, values] of Object.entries(want)) {
    const off = norm(values.map((value, i) => value - (got[name]?.[i] ?? 0)));
    if (!(off <= 1e-5 * norm(values) + 2e-7 * largest + 1e-7)) {
      expect.fail(`the gradient of ${name} is off by ${off} of ${norm(values)}: ${got[name]} for ${values}`);
    }
  }
}

describeOnBackends('walkBack', (backend) => {
  beforeAll(() => {
    if (backend === 'wasm') enableWasmTraining();
  });
  afterAll(() => {
    if (backend === 'wasm') enableWasmTraining()();
  });

  it('gives the gradients of tfjs for random models, with all rows and with the kept ones alone', () => {
    let [cutWork, allWork] = [0, 0];
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const draw = drawFrom(g);
        const batch = draw.int(2, 5);
        const model = repeatably(() => tidy(() => randomModel(draw, batch)));
        const random = randomFrom(draw.int(1, 1e6));
        const rows = Array.from({length: draw.int(1, batch)}, () => draw.int(0, batch - 1));
        const kept = {batch, rows, weights: rows.map(() => random() + 0.2)};
        const want = reference(model, kept);
        expectSame(walked(model, kept, false).gradients, want);
        const cut = walked(model, kept, true);
        expectSame(cut.gradients, want);
        if (!model.blocks.some(({mixes}) => mixes)) {
          expect([cut.blockedAt, cut.multiplications.cut]).toEqual([-1, cut.multiplications.all]);
        }
        cutWork += cut.multiplications.cut;
        allWork += cut.multiplications.all;
        model.dispose();
      }),
      {...RUNS, numRuns: 300},
    );
    expect(cutWork / allWork).toBeGreaterThan(0.6);
  });
});
void [dispose, memory, scalar];
