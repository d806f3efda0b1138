import {
  add,
  addN,
  backend,
  customGrad,
  dispose,
  engine,
  env,
  getBackend,
  grad,
  keep,
  logSoftmax,
  matMul,
  memory,
  mul,
  relu,
  type Scalar,
  scalar,
  setBackend,
  sin,
  square,
  sum,
  type Tensor,
  tensor1d,
  tensor2d,
  tidy,
  variable,
  variableGrads,
} from '@tensorflow/tfjs-core';
import {expect, it} from 'vitest';
import {aliasOf, canRecord, capture, differentiateByTfjs, numbersIn, offTape, record} from '../../src/engine';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {tidied} from '../support/tensors';

const close = {absolute: 1e-6, relative: 1e-5};
const WRAPPED = ['addTapeNode', 'runKernel', 'read', 'readSync', 'readToGPU'];

/** Whatever of the engine a recording could leave behind. */
function state() {
  const {activeTape, gradientDepth, kernelDepth, activeScope, scopeStack} = (engine() as never as {state: never})
    .state as {
    activeTape: object;
    gradientDepth: number;
    kernelDepth: number;
    activeScope: object;
    scopeStack: object[];
  };
  const {numTensors, numDataBuffers, numBytes} = memory();
  const own = WRAPPED.filter((name) => Object.hasOwn(engine(), name));
  return {
    activeTape,
    gradientDepth,
    kernelDepth,
    activeScope,
    scopes: scopeStack.length,
    numTensors,
    numDataBuffers,
    numBytes,
    own,
  };
}

/** A scalar whose derivative is 4 x³. */
const fourth = (x: Tensor) => sum(square(square(x))) as Scalar;

describeOnBackends('record', () => {
  it('lists the ops that ran, with attributes, what they saved, and how they are differentiated', () => {
    tidy(() => {
      const [x, w] = [tensor2d([[1, 2]]), tensor2d([[3], [4]])];
      const {result, tape} = record(() => relu(matMul(x, w, false, false)));
      const ops = tape.ops.filter(({kind}) => kind !== 'copy');
      expect(ops.map(({name, kind}) => [name, kind])).toEqual([
        ['BatchMatMul', 'kernel'],
        ['Relu', 'kernel'],
      ]);
      const [product] = ops;
      expect(product?.attrs).toEqual({transposeA: false, transposeB: false});
      expect(product?.inputs).toEqual({a: x, b: w});
      expect(product?.saved.map(({shape}) => shape)).toEqual([
        [1, 2],
        [2, 1],
      ]);
      const found = product?.gradient?.([tensor2d([[2]])], product.saved, product.attrs);
      expectClose(found?.b?.() as Tensor, [2, 4], close);
      expect([...result.dataSync()]).toEqual([11]);
      tape.dispose();
    });
  });

  it('lists the kernels that a custom gradient ran, and none of another op', () => {
    tidy(() => {
      const twice = customGrad((x) => ({value: square(add(x as Tensor, 1)), gradFunc: (dy) => dy as Tensor}));
      const {tape} = record(() => [logSoftmax(tensor2d([[1, 2]])), sin(tensor1d([1])), twice(tensor1d([1]))]);
      const custom = tape.ops.filter(({kind}) => kind === 'custom');
      expect(custom.map(({inner}) => inner.map(({name}) => name).filter((name) => name !== 'Identity'))).toEqual([
        expect.arrayContaining(['Max', 'Sub', 'Exp', 'Sum', 'Log']),
        expect.arrayContaining(['Add', 'Square']),
      ]);
      expect(custom[1]?.inner.some(({name}) => name === 'Max' || name === 'Sin')).toBe(false);
      expect(custom[0]?.inner.find(({name}) => name === 'Max')?.attrs).toEqual({reductionIndices: 1, keepDims: true});
      tape.dispose();
    });
  });

  it('lists no kernel that ran off the tape as that of a later op', () => {
    tidy(() => {
      const x = tensor2d([[1, 2]]);
      const {tape} = record(() => {
        offTape(() => logSoftmax(x));
        record(() => logSoftmax(x)).tape.dispose();
        return logSoftmax(x);
      });
      const customs = tape.ops.filter(({kind}) => kind === 'custom').map(({inner}) => inner);
      expect(customs.map((inner) => inner.filter(({name}) => name === 'Max').length)).toEqual([1]);
      tape.dispose();
    });
  });

  it('notes the data that is read meanwhile', async () => {
    const [x, y, z] = [tensor1d([1]), tensor1d([2]), tensor1d([3])];
    let pending: Promise<unknown> = Promise.resolve();
    const {tape} = tidied(() =>
      record(() => {
        x.dataSync();
        pending = y.data();
      }),
    );
    await pending;
    z.dataSync();
    expect([x, y, z].map(({dataId}) => tape.reads.has(dataId))).toEqual([true, true, false]);
    dispose([x, y, z]);
  });

  it('leaves the engine as it was, also when what it records throws', () => {
    const x = tensor1d([1, 2]);
    const before = state();
    tidied(() => record(() => fourth(x)).tape.dispose());
    expect(state()).toEqual(before);
    const fails = () => {
      grad((y) => {
        fourth(y);
        throw new Error('inside');
      })(x);
      return fourth(x);
    };
    expect(() => tidied(() => record(() => fourth(x) && fails()))).toThrow('inside');
    expect(state()).toEqual(before);
    const inCustom = customGrad(() => {
      throw new Error('inside');
    });
    expect(() => tidied(() => record(() => inCustom(x)))).toThrow('inside');
    expect(state()).toEqual(before);
    x.dispose();
  });

  it('puts back functions that the engine had of its own', () => {
    const target = engine() as unknown as Record<string, unknown>;
    const calls: string[] = [];
    const runKernel = engine().runKernel;
    const mine = function (this: unknown, ...args: [name: string]) {
      calls.push(args[0]);
      return (runKernel as unknown as (...all: [string]) => unknown).apply(this, args);
    };
    Object.defineProperty(target, 'runKernel', {value: mine, configurable: true, writable: true, enumerable: false});
    const before = Object.getOwnPropertyDescriptor(target, 'runKernel');
    tidied(() => record(() => fourth(tensor1d([1]))).tape.dispose());
    expect(Object.getOwnPropertyDescriptor(target, 'runKernel')).toEqual(before);
    expect(calls).toContain('Square');
    delete target.runKernel;
  });

  it('leaves the tape of a gradient around it as it is', () => {
    tidy(() => {
      const x = tensor1d([1, -2, 3]);
      const slope = grad((y) => {
        const {result, tape} = record(() => fourth(y));
        expect(tape.ops.filter(({kind}) => kind === 'kernel').map(({name}) => name)).toEqual([
          'Square',
          'Square',
          'Sum',
        ]);
        tape.dispose();
        // What was recorded is a constant to the gradient around it.
        return mul(result, fourth(y)) as Scalar;
      });
      const value = 1 + 16 + 81;
      expectClose(slope(x), [4 * value, -32 * value, 108 * value], close);
    });
  });

  it('leaves the tape of a recording around it as it is', () => {
    tidy(() => {
      const x = tensor1d([1, 2]);
      const {tape: outer} = record(() => {
        const {result, tape} = record(() => square(x));
        expect(tape.ops.filter(({kind}) => kind === 'kernel').map(({name}) => name)).toEqual(['Square']);
        tape.dispose();
        return sin(result);
      });
      expect(outer.ops.filter(({kind}) => kind === 'kernel').map(({name}) => name)).toEqual(['Sin']);
      outer.dispose();
    });
    expect(state().own).toEqual([]);
  });

  it('records gradients that are taken meanwhile', () => {
    tidy(() => {
      const {result, tape} = record(() => grad((x) => fourth(x))(tensor1d([2])));
      expectClose(result, [32], close);
      expect(tape.ops.some(({name}) => name === 'Multiply')).toBe(true);
      tape.dispose();
    });
  });

  it('works while tfjs looks for leaks, as its own tests do', () => {
    env().set('IS_TEST', true);
    try {
      const before = state();
      tidy(() => {
        const {result, tape} = record(() => fourth(tensor1d([2])));
        expectClose(result, [16], close);
        tape.dispose();
      });
      expect(tidy(() => offTape(() => fourth(tensor1d([2]))).dataSync()[0])).toBeCloseTo(16, 4);
      expect(state()).toEqual(before);
    } finally {
      env().set('IS_TEST', false);
    }
  });
});

describeOnBackends('canRecord', () => {
  it('is false where an internal is missing that recording needs', () => {
    expect(canRecord()).toBe(true);
    const target = engine() as unknown as Record<string, unknown>;
    for (const name of ['addTapeNode', 'runKernel']) {
      target[name] = undefined;
      expect(canRecord()).toBe(false);
      delete target[name];
    }
    const {state: inner} = target as {state: Record<string, unknown>};
    for (const name of ['gradientDepth', 'kernelDepth']) {
      const value = inner[name];
      delete inner[name];
      expect(canRecord()).toBe(false);
      inner[name] = value;
    }
    expect(canRecord()).toBe(true);
  });
});

/** Runs `f` as in a build of tfjs that ops cannot be recorded in. */
function withoutRecording<T>(f: () => T): T {
  const target = engine() as unknown as Record<string, unknown>;
  const {addTapeNode} = Object.getPrototypeOf(target);
  // Missing to our eyes alone: tfjs itself needs it for its tape.
  Object.defineProperty(target, 'addTapeNode', {
    configurable: true,
    get: () => (new Error().stack?.includes('canRecord') ? undefined : addTapeNode),
  });
  try {
    expect(canRecord()).toBe(false);
    return f();
  } finally {
    delete target.addTapeNode;
  }
}

describeOnBackends('offTape', () => {
  it.each([
    ['by its own means', <T>(f: () => T) => f()],
    ['where ops cannot be recorded', withoutRecording],
  ] as const)('makes constants of what runs within, %s', (_, within) => {
    tidy(() => {
      const x = tensor1d([1, -2]);
      const slope = within(() =>
        grad(
          (y) =>
            mul(
              offTape(() => fourth(y)),
              sum(y),
            ) as Scalar,
        )(x),
      );
      expectClose(slope, [17, 17], close);
      const named = within(() => offTape(() => ({a: square(x), list: [sin(x)], n: null as never})));
      expectClose(named.a, [1, 4], close);
      expect(named.n).toBeNull();
      expectClose(named.list[0] as Tensor, [Math.sin(1), Math.sin(-2)], close);
    });
  });

  it('runs within custom gradients, and gradients within it', () => {
    tidy(() => {
      const x = tensor1d([1, -2]);
      const before = state();
      const scaled = customGrad((y) => {
        // 4 y³ by a gradient inside a custom gradient, which tfjs records nothing of.
        const slope = offTape(() => keep(grad((z) => fourth(z))(y as Tensor)));
        return {value: sum(y as Tensor), gradFunc: (dy) => mul(dy as Tensor, slope)};
      });
      expectClose(grad((y) => scaled(y) as Scalar)(x), [4, -32], close);
      const both = grad(
        (y) =>
          add(
            sum(y),
            offTape(() => sum(grad((z) => fourth(z))(y))),
          ) as Scalar,
      )(x);
      expectClose(both, [1, 1], close);
      const after = state();
      expect({...after, numTensors: 0, numBytes: 0, numDataBuffers: 0}).toEqual({
        ...before,
        numTensors: 0,
        numBytes: 0,
        numDataBuffers: 0,
      });
    });
  });

  it('leaves the tape around it as it was when it throws', () => {
    tidy(() => {
      const fails = () => {
        throw new Error('inside');
      };
      const slope = grad((y) => {
        expect(() => offTape(() => grad((z) => fourth(z) && fails())(y))).toThrow('inside');
        expect(() => offTape(fails)).toThrow('inside');
        return fourth(y);
      });
      expectClose(slope(tensor1d([2])), [32], close);
    });
    expect(state()).toMatchObject({gradientDepth: 0, kernelDepth: 0, own: []});
  });

  it('is on no recording around it', () => {
    tidy(() => {
      const {tape} = record(() => sin(offTape(() => square(tensor1d([1])))));
      expect(tape.ops.filter(({kind}) => kind === 'kernel').map(({name}) => name)).toEqual(['Sin']);
      tape.dispose();
    });
  });
});

describeOnBackends('differentiateByTfjs', () => {
  const [w, v, unused] = [
    () => variable(tensor1d([1, 2])),
    () => variable(tensor1d([3, -1])),
    () => variable(scalar(5)),
  ];

  it('gives the gradients of tf.variableGrads, and what was seen meanwhile', () => {
    const variables = [w(), v(), unused()];
    const objective = () =>
      addN([fourth(variables[0] as Tensor), sum(mul(variables[0] as Tensor, variables[1] as Tensor))]) as Scalar;
    tidy(() => {
      const {grads: want} = variableGrads(objective, variables);
      const {seen, gradients} = differentiateByTfjs(
        () => ({objective: objective(), seen: {twice: mul(variables[0] as Tensor, 2)}}),
        variables,
      );
      expect(Object.keys(gradients)).toEqual(variables.slice(0, 2).map(({name}) => name));
      for (const [name, gradient] of Object.entries(gradients)) expectClose(gradient, want[name] as Tensor, close);
      expectClose(seen.twice, [2, 4], close);
    });
    dispose(variables);
  });

  it('gives the objective too, if it is to be seen', () => {
    const variables = [w()];
    const before = state();
    const {seen, gradients} = differentiateByTfjs(() => {
      const objective = fourth(variables[0] as Tensor);
      return {objective, seen: {objective}};
    }, variables);
    expectClose(seen.objective, [17], close);
    dispose([seen.objective, ...Object.values(gradients)]);
    expect(state()).toEqual(before);
    dispose(variables);
  });

  it('takes an objective that depends on no variable', () => {
    const variables = [w()];
    const before = state();
    const {gradients, seen} = tidy(() => differentiateByTfjs(() => ({objective: scalar(1), seen: []}), variables));
    expect([gradients, seen]).toEqual([{}, []]);
    expect(state()).toEqual(before);
    dispose(variables);
  });

  it('leaves nothing behind, also when it throws', () => {
    const variables = [w()];
    const before = state();
    const made = differentiateByTfjs(
      () => ({objective: fourth(variables[0] as Tensor), seen: [square(variables[0] as Tensor)]}),
      variables,
    );
    expect(state().numTensors - before.numTensors).toBe(2);
    dispose([...made.seen, ...Object.values(made.gradients)]);
    expect(state()).toEqual(before);
    const fails = () => {
      square(variables[0] as Tensor);
      throw new RangeError('inside');
    };
    expect(() => differentiateByTfjs(fails, variables)).toThrow(new RangeError('inside'));
    expect(state()).toEqual(before);
    dispose(variables);
  });
});

describeOnBackends('numbersIn', (name) => {
  it('gives the numbers of a tensor of any type, as dataSync does', () => {
    tidy(() => {
      const empty = tensor1d([], 'float32');
      for (const given of [tensor2d([[1, -2.5]]), tensor1d([3, -4], 'int32'), tensor1d([true, false], 'bool'), empty]) {
        expect(numbersIn(given)).toEqual(given.dataSync());
      }
    });
  });

  it('copies nothing on wasm', () => {
    tidy(() => {
      const [one, other] = [tensor1d([1, 2]), tensor1d([3])];
      // Views of one memory.
      if (name === 'wasm') expect(numbersIn(one).buffer === numbersIn(other).buffer).toBe(true);
      expect([...numbersIn(one), ...numbersIn(other)]).toEqual([1, 2, 3]);
    });
  });

  it('is a read to a recording', () => {
    tidy(() => {
      const given = tensor1d([1, 2]);
      expect(record(() => numbersIn(given)[0]).tape.reads.has(given.dataId)).toBe(true);
      expect(capture(() => numbersIn(given)[0]).hasRead).toBe(true);
      expect(capture(() => square(given)).hasRead).toBe(false);
    });
  });

  it('refuses a tensor that is disposed, as dataSync does', () => {
    const given = tensor1d([1]);
    given.dispose();
    expect(() => numbersIn(given)).toThrow('Tensor is disposed');
  });
});

describeOnBackends('aliasOf', () => {
  it('gives a tensor of the same data, which each of both keeps alive', () => {
    tidy(() => {
      const weight = variable(tensor2d([[1, 2]]));
      const before = memory();
      const alias = aliasOf<Tensor>(weight);
      expect([alias.shape, alias.dtype, alias.dataId === weight.dataId]).toEqual([[1, 2], 'float32', true]);
      expect(memory().numTensors).toBe(before.numTensors + 1);
      expect(memory().numDataBuffers).toBe(before.numDataBuffers);
      weight.assign(tensor2d([[5, 6]]));
      expect([...alias.dataSync()]).toEqual([1, 2]);
      alias.dispose();
      expect([...weight.dataSync()]).toEqual([5, 6]);
      weight.dispose();
    });
  });

  it('is on no tape', () => {
    const gradient = grad((x: Tensor) => add(square(x), aliasOf(x)));
    tidy(() => void expect([...gradient(tensor1d([3])).dataSync()]).toEqual([6]));
  });

  it('takes data that another backend has', async () => {
    const other = getBackend() === 'cpu' ? 'wasm' : 'cpu';
    const here = getBackend();
    await setBackend(other);
    const given = tensor1d([1, 2]);
    await setBackend(here);
    const before = backend().numDataIds();
    tidy(() => {
      expect([...numbersIn(given)]).toEqual([1, 2]);
      // Where it was: to move it would move the memory of other tensors.
      expect(backend().numDataIds()).toBe(before);
      expect([...aliasOf(given).dataSync()]).toEqual([1, 2]);
    });
    given.dispose();
  });
});
