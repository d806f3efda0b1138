import {
  addN,
  cast,
  concat,
  conv2d,
  customGrad,
  dispose,
  div,
  fused,
  gather,
  getGradient,
  grad,
  keep,
  matMul,
  maximum,
  mean,
  memory,
  mul,
  notEqual,
  reshape,
  reverse,
  type Scalar,
  sigmoid,
  slice,
  split,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor4D,
  tanh,
  tensor1d,
  tensor2d,
  tidy,
  transpose,
  unstack,
  type Variable,
  variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {record} from '../../src/engine';
import {axisOf, cutShape, leadingPlace, type Place, rowCut} from '../../src/gradients/places';
import {walkBack} from '../../src/gradients/walk';
import {describeOnBackends} from '../support/backends';
import {norm} from '../support/close';
import {COMMON_MODELS, inputsFor} from '../support/commonModels';
import {addTo, type Draw, drawFrom, inputsOf, OP_SAMPLES, type OpCase, placesIn, tensorOf} from '../support/opCases';
import {RUNS, randomFrom, repeatably} from '../support/property';
import {type RandomModel, randomModel} from '../support/randomModels';
import {tidied} from '../support/tensors';
import {trainsOn} from '../support/wasmTraining';

interface Kept {
  batch: number;
  rows: number[];
  weights: number[];
}

type Model = Pick<RandomModel, 'variables' | 'losses'>;
type Values = Record<string, number[]>;

/** The gradients of the weighted losses of the kept rows by `walkBack`, cut or not. */
function walked(model: Model, {batch, rows, weights}: Kept, isCut: boolean) {
  return tidied(() => {
    const {result: losses, tape} = record(() => model.losses());
    const at = tensor1d(rows, 'int32');
    const cut = rowCut(at, batch);
    const place = leadingPlace(losses.shape, batch);
    const values = tensor1d(weights);
    const start = isCut
      ? {tensor: losses, value: values, place}
      : {tensor: losses, value: cut.put(values, place, losses.shape)};
    const outcome = walkBack('walk', tape.ops, [start], model.variables, isCut ? cut : undefined);
    const gradients = numbersOf(outcome.gradients);
    tape.dispose();
    cut.dispose();
    return {...outcome, gradients};
  });
}

/** The same by tfjs. */
function reference(model: Model, {batch, rows, weights}: Kept): Values {
  return tidied(() => {
    const whole = new Array<number>(batch).fill(0);
    for (const [i, row] of rows.entries()) addTo(whole, row, weights[i] as number);
    const {grads} = variableGrads(() => sum(mul(model.losses(), tensor1d(whole))), model.variables);
    return numbersOf(grads);
  });
}

const numbersOf = (gradients: Record<string, Tensor>): Values =>
  Object.fromEntries(Object.entries(gradients).map(([name, value]) => [name, [...value.dataSync()]]));

function state() {
  const {numTensors, numDataBuffers, numBytes} = memory();
  return {numTensors, numDataBuffers, numBytes};
}

/** Ops with gradients of tfjs that need no second look. */
const SMOOTH = [...OP_SAMPLES.keys()].filter(
  (name) =>
    (getGradient(name) || name.endsWith('__op')) &&
    !['Prod', 'OneHot', 'Cumsum', 'Conv3DBackpropInputV2'].includes(name),
);

/**
 * Expects the same gradients, to 1e-5 of their norm; some true gradients are 0, such as that of a
 * bias before a batch norm.
 */
function expectSame(got: Values, want: Values): void {
  const largest = Math.max(...Object.values(want).map(norm));
  for (const [name, values] of Object.entries(want)) {
    const off = norm(values.map((value, i) => value - (got[name]?.[i] ?? 0)));
    if (!(off <= 1e-5 * norm(values) + 5e-7 * largest + 1e-7)) {
      expect.fail(`the gradient of ${name} is off by ${off} of ${norm(values)}: ${got[name]} for ${values}`);
    }
  }
}

describeOnBackends('walkBack', (backend) => {
  trainsOn(backend);

  it('gives the gradients of tfjs for random models, with all rows and with the kept ones alone', () => {
    let [cutWork, allWork] = [0, 0];
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const draw = drawFrom(g);
        const batch = draw.int(1, 5);
        const model = repeatably(() => tidied(() => randomModel(draw, batch)));
        const random = randomFrom(draw.int(1, 1e6));
        const rows = Array.from({length: draw.int(1, batch + 1)}, () => draw.int(0, batch - 1));
        const kept = {batch, rows, weights: rows.map(() => random() + 0.2)};
        const want = reference(model, kept);
        expectSame(walked(model, kept, false).gradients, want);
        const cut = walked(model, kept, true);
        expectSame(cut.gradients, want);
        if (batch > 1 && !model.blocks.some(({mixes}) => mixes)) {
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

  it.each(COMMON_MODELS.map((common) => [common.name, common] as const))('keeps %s cut', (_, common) => {
    const batch = 5;
    const built = repeatably(common.build);
    const xs = inputsFor(common, batch);
    const variables = built.trainableWeights.map((weight) => weight.read() as Variable);
    const losses = () => {
      const predictions = built.apply(xs, {training: true}) as Tensor;
      return sum(square(sub(reshape(predictions, [batch, -1]), 0.3)), 1);
    };
    for (const rows of [[3, 1], [4, 0, 4], [2]]) {
      const kept = {batch, rows, weights: rows.map((row) => row + 0.5)};
      const cut = walked({variables, losses}, kept, true);
      const all = walked({variables, losses}, kept, false);
      const want = common.failsOn?.includes(backend) ? all.gradients : reference({variables, losses}, kept);
      expectSame(all.gradients, want);
      expectSame(cut.gradients, want);
      const share = cut.multiplications.cut / cut.multiplications.all;
      if (common.share === undefined) expect(share).toBe(1);
      else expect(share).toBeGreaterThan(common.share);
    }
    built.dispose();
    xs.dispose();
  });

  it('cuts each op that has a rule as it goes with all rows', () => {
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const draw = drawFrom(g);
        const batch = draw.int(2, 4);
        const name = draw.pick(...SMOOTH);
        const sample = (OP_SAMPLES.get(name) as (draw: Draw, batch: number) => OpCase)(draw, batch);
        const seed = draw.int(1, 1e6);
        const inputs = inputsOf(sample, seed);
        const isFloat = (key: string) => (inputs[key] as Tensor).dtype === 'float32' && draw.int(0, 3) > 0;
        const variables = Object.fromEntries(
          Object.keys(inputs)
            .filter(isFloat)
            .map((key) => [key, variable(inputs[key] as Tensor)]),
        );
        const {result, tape} = tidied(() => record(() => [sample.run({...inputs, ...variables})].flat().map(keep)));
        const rows = Array.from({length: draw.int(1, batch + 1)}, () => draw.int(0, batch - 1));
        const shapes = result.map(({shape}) => shape);
        for (const places of placesIn(shapes, batch)) {
          if (places.some((place, i) => !axisOf(shapes[i] as number[], place, batch))) continue;
          tidy(() => {
            const cut = rowCut(tensor1d(rows, 'int32'), batch);
            const random = randomFrom(seed);
            const cuts = result.map(({shape}, i) =>
              tensorOf({shape: cutShape(shape, places[i] as Place, batch, rows.length)}, random),
            );
            const all = cuts.map((value, i) => cut.put(value, places[i] as Place, shapes[i] as number[]));
            const by = (values: Tensor[], isCut: boolean) => {
              const starts = values.map((value, i) => ({
                ...{tensor: result[i] as Tensor, value},
                ...(isCut && {place: places[i] as Place}),
              }));
              return walkBack('walk', tape.ops, starts, Object.values(variables), isCut ? cut : undefined);
            };
            const want = numbersOf(by(all, false).gradients);
            const got = numbersOf(by(cuts, true).gradients);
            expect(Object.keys(got).sort()).toEqual(Object.keys(want).sort());
            expectSame(got, want);
            cut.dispose();
          });
        }
        tape.dispose();
        dispose([...Object.values(inputs), ...Object.values(variables), ...result]);
      }),
      {...RUNS, numRuns: 400},
    );
  });

  const [B, rows] = [6, [4, 1, 4]];
  const values = (...shape: number[]) => tensorOf({shape}, randomFrom(shape.length * 7 + (shape[0] as number)));
  /** Gradients by a walk from some tensors, and how it went. */
  const walk = (f: () => Tensor[], variables: Variable[], {isCut = true, from = 0, starts = [0, 1, 2]} = {}) =>
    tidied(() => {
      const {result, tape} = record(() => tidy(f));
      const cut = rowCut(tensor1d(rows, 'int32'), B);
      const begun = result.flatMap((tensor, i) => {
        const place = leadingPlace(tensor.shape, B);
        const value = values(...cutShape(tensor.shape, place, B, rows.length));
        if (!starts.includes(i)) return [];
        return [isCut ? {tensor, value, place} : {tensor, value: cut.put(value, place, tensor.shape)}];
      });
      try {
        const outcome = walkBack('walk', tape.ops, begun, variables, isCut ? {...cut, from} : undefined);
        return {...outcome, gradients: numbersOf(outcome.gradients), names: tape.ops.map(({name}) => name)};
      } finally {
        tape.dispose();
        cut.dispose();
      }
    });
  /** The same gradients by tfjs. */
  const byTfjs = (f: () => Tensor[], variables: Variable[], starts = [0, 1, 2]) =>
    tidied(() => {
      const cut = rowCut(tensor1d(rows, 'int32'), B);
      const {grads} = variableGrads(() => {
        const terms = f().map((tensor, i) => {
          const place = leadingPlace(tensor.shape, B);
          const weights = cut.put(values(...cutShape(tensor.shape, place, B, rows.length)), place, tensor.shape);
          return sum(mul(tensor, starts.includes(i) ? weights : 0));
        });
        return addN(terms) as Scalar;
      }, variables);
      cut.dispose();
      return numbersOf(grads);
    });
  const withVariables = (shapes: number[][], f: (variables: Variable[]) => void) => {
    const variables = shapes.map((shape) => variable(values(...shape)));
    f(variables);
    dispose(variables);
  };

  it('begins at several tensors, some of which lead to others', () => {
    withVariables(
      [
        [3, 4],
        [4, 2],
      ],
      ([w, v]) => {
        const f = () => {
          const hidden = tanh(matMul(values(B, 3), w as never));
          const out = matMul(hidden, v as never);
          return [hidden, out, square(out)];
        };
        const variables = [w, v] as Variable[];
        expectSame(walk(f, variables).gradients, byTfjs(f, variables));
        expectSame(walk(f, variables, {isCut: false}).gradients, byTfjs(f, variables));
        for (const starts of [[0], [1], [2], [0, 2]]) {
          expectSame(walk(f, variables, {starts}).gradients, byTfjs(f, variables, starts));
        }
      },
    );
  });

  it('continues with all rows before the op that it may be cut from', () => {
    withVariables(
      [
        [3, 4],
        [4, 4],
        [4, 2],
      ],
      (variables) => {
        const f = () => [variables.reduce((x, w) => tanh(matMul(x as never, w as never)), values(B, 3) as Tensor)];
        const want = byTfjs(f, variables);
        const [first, second, third] = [B * 3 * 4, 2 * B * 4 * 4, 2 * B * 4 * 2];
        const ops = walk(f, variables).names.length;
        const shares = Array.from({length: ops + 1}, (_, from) => {
          const {gradients, multiplications, blockedAt} = walk(f, variables, {from});
          expectSame(gradients, want);
          expect(multiplications.all).toBe(first + second + third);
          expect(blockedAt).toBeLessThan(from);
          return multiplications.cut;
        });
        expect([...new Set(shares)]).toEqual([first + second + third, second + third, third, 0]);
      },
    );
  });

  it('adds gradients of one tensor whose rows lie in different places', () => {
    withVariables([[3, B]], ([w]) => {
      const f = () => {
        const square = matMul(values(B, 3), w as never);
        return [concat([square, transpose(square)], 1), square, sigmoid(transpose(square))];
      };
      for (const starts of [[0], [0, 1], [1, 2], [2]]) {
        expectSame(walk(f, [w as Variable], {starts}).gradients, byTfjs(f, [w as Variable], starts));
      }
    });
  });

  it('takes the rows of one tensor in different places, and of different types', () => {
    withVariables([[3, B], [B, B], [9, 2], [2]], ([w, v, table, scale]) => {
      const rowsBothWays = () => {
        const s = matMul(values(B, 3), w as never);
        return [mul(s, s), transpose(mul(s, v as Tensor)), transpose(mul(s, s))];
      };
      expectSame(walk(rowsBothWays, [w, v] as Variable[]).gradients, byTfjs(rowsBothWays, [w, v] as Variable[]));
      // On cpu, numbers that are cast share the data of those that they are cast from.
      const words = tensor2d([0, 8, 3, 3, 4, 1, 7, 2, 2, 5, 6, 6], [B, 2], 'int32');
      const castLater = () => [
        concat([sum(gather(table as Tensor, words), 2), mul(cast(words, 'float32'), scale as Tensor)], 1),
      ];
      expectSame(
        walk(castLater, [table, scale] as Variable[]).gradients,
        byTfjs(castLater, [table, scale] as Variable[]),
      );
      words.dispose();
    });
  });

  it('takes rows once that several ops saved, and holds them no longer than they are needed', () => {
    withVariables(
      [
        [3, 3],
        [3, 3],
      ],
      ([w, v]) => {
        tidy(() => {
          const {result, tape} = record(() => {
            const first = matMul(values(B, 3), w as never);
            let x: Tensor = square(first);
            for (let i = 0; i < 6; i++) x = tanh(matMul(x as never, v as never));
            return mul(x, first);
          });
          const cut = rowCut(tensor1d(rows, 'int32'), B);
          const takes: string[] = [];
          const counted = {
            ...cut,
            take: (tensor: Tensor, place: Place) => {
              takes.push(
                JSON.stringify([
                  tape.ops.findIndex(({saved}) => saved.some(({dataId}) => dataId === tensor.dataId)),
                  place,
                ]),
              );
              return cut.take(tensor, place);
            },
          };
          const start = {tensor: result, value: values(rows.length, 3), place: {outer: 1, inner: 3}};
          const before = memory().numTensors;
          const {gradients} = walkBack('walk', tape.ops, [start], [w, v] as Variable[], counted);
          // The value that it began with is disposed; the cut holds the numbers of its rows.
          expect(memory().numTensors).toBe(before + Object.keys(gradients).length);
          expect(new Set(takes).size).toBe(takes.length);
          tape.dispose();
          cut.dispose();
        });
      },
    );
  });

  it('takes one matrix for a batch of them, though tfjs has no gradient by it', () => {
    withVariables(
      [
        [3, 4],
        [1, 4, 2],
      ],
      ([w, v]) => {
        const f = () => {
          const x = reshape(matMul(concat([values(B, 3), values(B, 3)], 0), w as never), [2, B, 4]);
          return [reshape(transpose(matMul(x, v as Tensor), [1, 0, 2]), [B, 4])];
        };
        const {gradients, multiplications} = walk(f, [w as Variable]);
        expectSame(gradients, byTfjs(f, [w as Variable]));
        expect(multiplications.cut).toBe(multiplications.all);
        expect(() => walk(f, [w, v] as Variable[])).toThrow(
          /^walk: the gradient of BatchMatMul with respect to its input b must be float32\[1, 4, 2\]/,
        );
      },
    );
  });

  it('takes ops of which some outputs lead nowhere', () => {
    withVariables([[3, 4]], ([w]) => {
      const f = () => {
        const x = matMul(values(B, 3), w as never);
        const [, second] = split(x, 2, 1) as [Tensor, Tensor];
        const [, , third] = unstack(x, 1) as [Tensor, Tensor, Tensor];
        return [second, third];
      };
      for (const starts of [[0], [1], [0, 1]]) {
        expectSame(walk(f, [w as Variable], {starts}).gradients, byTfjs(f, [w as Variable], starts));
      }
      // tfjs does not differentiate `unstack` into one tensor.
      const whole = () => [reshape(matMul(values(B, 3), w as never), [B, 4])];
      const single = () => [unstack(reshape(matMul(values(B, 3), w as never), [B, 1, 4]), 1)[0] as Tensor];
      expectSame(walk(single, [w as Variable]).gradients, byTfjs(whole, [w as Variable]));
    });
  });

  it('takes halves of the batch that come back together, and one that does not', () => {
    withVariables([[3, 4]], ([w]) => {
      const f = () => {
        const x = matMul(concat([values(B, 3), values(B, 3), values(B, 3)], 0), w as never);
        const [two, one] = split(x, [2 * B, B], 0) as [Tensor, Tensor];
        return [square(one), two, tanh(one)];
      };
      expectSame(walk(f, [w as Variable], {starts: [0, 2]}).gradients, byTfjs(f, [w as Variable], [0, 2]));
    });
  });

  it('takes models that take a gradient themselves', () => {
    withVariables(
      [
        [3, 4],
        [4, 1],
      ],
      ([w, v]) => {
        const f = () => {
          const slope = grad((x) => sum(matMul(tanh(matMul(x as never, w as never)), v as never)));
          return [sum(square(slope(values(B, 3))), 1)];
        };
        const variables = [w, v] as Variable[];
        expectSame(walk(f, variables).gradients, byTfjs(f, variables));
      },
    );
  });

  it('leaves custom gradients of users with all rows, whatever they do', () => {
    const turned = customGrad((x) => ({value: square(x as Tensor), gradFunc: (dy) => reverse(dy as Tensor, 0)}));
    const scaled = customGrad((x) => ({
      value: square(x as Tensor),
      gradFunc: (dy) => div(dy as Tensor, sqrt(sum(square(dy as Tensor)))),
    }));
    withVariables([[3, 4]], ([w]) => {
      for (const op of [turned, scaled]) {
        const f = () => [op(matMul(values(B, 3), w as never))];
        const {gradients, blockedAt, names} = walk(f, [w as Variable]);
        expectSame(gradients, byTfjs(f, [w as Variable]));
        expect([blockedAt, names.length - 1 - blockedAt]).toEqual([blockedAt, 0]);
      }
    });
  });

  it('tells at which op the rows part', () => {
    withVariables([[3, 4]], ([w]) => {
      const f = () => {
        const x = matMul(values(B, 3), w as never);
        return [square(sub(x, mean(x, 0)))];
      };
      const {names, blockedAt, gradients, multiplications} = walk(f, [w as Variable]);
      expectSame(gradients, byTfjs(f, [w as Variable]));
      // The gradient of the mean is that of all rows, so the product gets one of the kept rows and
      // one of all.
      expect(names[blockedAt]).toBe('Mean');
      expect(multiplications.cut).toBe(0);
    });
  });

  it('counts the multiplications of gradients that are wanted', () => {
    withVariables([[2, 2, 3, 5], [5, 2], [2]], ([filter, w, b]) => {
      const f = () => {
        const x = conv2d(values(B, 3, 3, 3) as Tensor4D, filter as never, 1, 'valid');
        return [fused.matMul({a: reshape(x, [B * 4, 5]), b: w as never, bias: b as never}) as Tensor];
      };
      const {multiplications} = walk(f, [filter, w, b] as Variable[]);
      // By the filter alone, as the images are no variable; by both factors of the product.
      const products = B * 4 * 5 * (2 * 2 * 3) + 2 * (B * 4 * 2 * 5);
      expect(multiplications).toEqual({all: products, cut: products});
    });
  });

  it('gives variables that nothing depends on no gradient', () => {
    withVariables(
      [
        [3, 4],
        [4, 1],
      ],
      ([w, v]) => {
        expect(
          Object.keys(
            walk(() => [square(w as Tensor)].map(() => matMul(values(B, 3), w as never)), [w, v] as Variable[])
              .gradients,
          ),
        ).toEqual([(w as Variable).name]);
      },
    );
  });

  it('computes no gradient that leads to no variable', () => {
    const fails = customGrad((x) => ({
      value: square(x as Tensor),
      gradFunc: () => {
        throw new Error('computed');
      },
    }));
    withVariables([[3, 3]], ([w]) => {
      const f = () => [fails(values(B, 3)), matMul(fails(values(B, 3)) as never, w as never)];
      for (const isCut of [true, false])
        expect(Object.keys(walk(f, [w as Variable], {isCut}).gradients)).toHaveLength(1);
    });
  });

  it('names an op that cannot be differentiated, or whose gradient has another shape or type', () => {
    const half = customGrad((x) => ({
      value: square(x as Tensor),
      gradFunc: (dy) => slice(dy as Tensor, [0, 0], [1, -1]),
    }));
    const whole = customGrad((x) => ({value: square(x as Tensor), gradFunc: (dy) => cast(dy as Tensor, 'int32')}));
    withVariables([[3, 4], [4]], ([w, v]) => {
      const x = () => matMul(values(B, 3), w as never);
      const cases: [() => Tensor, RegExp][] = [
        [
          () => cast(notEqual(x(), 0), 'float32'),
          /^walk: model and loss must be made of ops that have a gradient, got NotEqual\./,
        ],
        [
          () => maximum(x(), v as Tensor),
          /^walk: the gradient of Maximum with respect to its input b must be float32\[4\], got a tensor float32\[/,
        ],
        [() => half(x()), /must be float32\[6, 4\], got a tensor float32\[1, 4\]/],
        [() => whole(x()), /must be float32\[6, 4\], got a tensor int32/],
      ];
      for (const [op, message] of cases) {
        const before = state();
        for (const isCut of [true, false]) {
          expect(() => walk(() => [op()], [w, v] as Variable[], {isCut})).toThrow(TypeError);
          expect(() => walk(() => [op()], [w, v] as Variable[], {isCut})).toThrow(message);
        }
        expect(state()).toEqual(before);
      }
    });
  });

  it('leaves no tensor, byte or buffer but the gradients', () => {
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const draw = drawFrom(g);
        const model = repeatably(() => tidied(() => randomModel(draw, 3)));
        const before = state();
        for (const isCut of [true, false]) {
          const made = tidy(() => {
            const {result, tape} = record(() => model.losses());
            const cut = rowCut(tensor1d([2, 0], 'int32'), 3);
            const start = isCut ? {value: tensor1d([1, 2]), place: {outer: 1, inner: 1}} : {value: tensor1d([2, 0, 1])};
            const starts = [{tensor: result, ...start}];
            const {gradients} = walkBack('walk', tape.ops, starts, model.variables, isCut ? cut : undefined);
            cut.dispose();
            tape.dispose();
            return gradients;
          });
          expect(state().numTensors - before.numTensors).toBe(Object.keys(made).length);
          dispose(made);
          expect(state()).toEqual(before);
        }
        model.dispose();
      }),
      {...RUNS, numRuns: 25},
    );
  });
});
