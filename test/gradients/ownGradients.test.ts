import {
  add,
  clipByValue,
  customGrad,
  engine,
  fused,
  type GradConfig,
  getGradient,
  matMul,
  maxPool,
  memory,
  mul,
  neg,
  registerGradient,
  relu,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tensor,
  tensor1d,
  tidy,
  tile,
  transpose,
  unregisterGradient,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {expect, it} from 'vitest';
import {type Gradients, record, type TapedOp} from '../../src/engine';
import {ownGradients, shareRelus} from '../../src/gradients/ownGradients';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {drawFrom, tensorOf} from '../support/opCases';
import {RUNS, randomFrom} from '../support/property';
import {trainsOn} from '../support/wasmTraining';

const close = {absolute: 1e-5, relative: 1e-5};
const random = (seed: number, ...shape: number[]) => tensorOf({shape}, randomFrom(seed));

/** The last op that `f` runs, with its gradients by us and by tfjs. Runs within a `tidy`. */
function gradientsOf(f: () => Tensor, name: string, seed = 7) {
  const {tape} = record(f);
  const op = [...tape.ops].reverse().find((one) => one.name === name && one.kind !== 'copy') as TapedOp;
  const dy = random(seed, ...(op.outputs[0] as Tensor).shape);
  const own = ownGradients({op, saved: op.saved, attrs: op.attrs}, dy);
  return {own, stock: op.gradient?.([dy], op.saved, op.attrs) as Gradients};
}

function expectAlike(own: Gradients | undefined, stock: Gradients): void {
  expect(Object.keys(own ?? {}).sort()).toEqual(Object.keys(stock).sort());
  for (const [name, gradient] of Object.entries(stock)) {
    const [got, want] = [(own as Gradients)[name]?.() as Tensor, gradient()];
    expect(got.shape).toEqual(want.shape);
    expectClose(got, want, close);
  }
}

describeOnBackends('our own gradient', (backend) => {
  trainsOn(backend);

  it('of a dense layer is that of tfjs, with and without a bias', () => {
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const {int, pick} = drawFrom(g);
        tidy(() => {
          const [m, inner, n] = [int(1, 5), int(1, 5), pick(1, 3, 17, 20)];
          const [a, b] = [random(1, m, inner) as Tensor2D, random(2, inner, n) as Tensor2D];
          const bias = int(0, 1) ? {bias: random(3, n) as Tensor1D} : {};
          const {own, stock} = gradientsOf(() => fused.matMul({a, b, ...bias}), 'fusedMatMul__op');
          expectAlike(own, stock);
        });
      }),
      {...RUNS, numRuns: 40},
    );
  });

  it('of a product of two matrices is that of tfjs, and is left to it if one is transposed or there are several', () => {
    const dims = fc.record({
      m: fc.integer({min: 1, max: 5}),
      inner: fc.integer({min: 1, max: 5}),
      n: fc.integer({min: 1, max: 20}),
    });
    fc.assert(
      fc.property(dims, ({m, inner, n}) => {
        tidy(() => {
          const [a, b] = [random(1, m, inner), random(2, inner, n)];
          const {own, stock} = gradientsOf(() => matMul(a, b), 'BatchMatMul');
          expectAlike(own, stock);
          const [ofA, ofB] = [() => matMul(transpose(a), b, true), () => matMul(a, transpose(b), false, true)];
          for (const product of [ofA, ofB]) expect(gradientsOf(product, 'BatchMatMul').own).toBeUndefined();
          const batches = () => matMul(random(1, 2, m, inner), random(2, 2, inner, n));
          expect(gradientsOf(batches, 'BatchMatMul').own).toBeUndefined();
        });
      }),
      {...RUNS, numRuns: 40},
    );
  });

  it.each([
    [1, 65, 64],
    [16, 65, 64],
    [80, 96, 100],
    [8, 5, 20],
  ])('of %i rows by a weight of %i × %i is dy · wᵀ, with its bits', (rows, inputs, outputs) => {
    const [x, w] = [random(1, rows, inputs) as Tensor2D, random(2, inputs, outputs) as Tensor2D];
    const dy = random(7, rows, outputs);
    for (const [name, input, product] of [
      ['BatchMatMul', 'a', () => matMul(x, w)],
      ['fusedMatMul__op', '0', () => fused.matMul({a: x, b: w})],
    ] as const) {
      const {tape} = record(() => tidy(product));
      const op = tape.ops.find((one) => one.name === name && one.kind !== 'copy') as TapedOp;
      const got = tidy(() => ownGradients({op, saved: op.saved, attrs: op.attrs}, dy)?.[input]?.() as Tensor);
      expect(got.shape).toEqual(op.inputs[input]?.shape);
      expect([...got.dataSync()]).toEqual([...matMul(dy, w, false, true).dataSync()]);
      tape.dispose();
    }
  });

  it('of a clipped tensor is that of tfjs, also at the limits, beyond them and for what is no number', () => {
    tidy(() => {
      const x = tensor1d([-2, -1, -0.5, 0, 0.5, 1, 2, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
      for (const [low, high] of [
        [-1, 1],
        [0, 0.5],
        [Number.NEGATIVE_INFINITY, 0.5],
      ] as const) {
        const {own, stock} = gradientsOf(() => clipByValue(x, low, high), 'ClipByValue');
        expectAlike(own, stock);
      }
    });
  });

  it('of a dense layer computes only what is requested', () => {
    tidy(() => {
      const [a, b] = [random(1, 4, 3) as Tensor2D, random(2, 3, 5) as Tensor2D];
      const {own} = gradientsOf(() => fused.matMul({a, b}), 'fusedMatMul__op');
      const before = memory().numTensors;
      own?.[1]?.();
      const {own: transposed} = gradientsOf(
        () => fused.matMul({a: b, b: a, transposeA: true, transposeB: true}),
        'fusedMatMul__op',
      );
      expect(memory().numTensors).toBeGreaterThan(before);
      expect(transposed).toBeUndefined();
    });
  });

  it('leaves products that are transposed to tfjs, also those of square matrices', () => {
    tidy(() => {
      const [a, b] = [random(1, 3, 3) as Tensor2D, random(2, 3, 3) as Tensor2D];
      for (const transposes of [{transposeA: true}, {transposeB: true}, {transposeA: true, transposeB: true}]) {
        expect(gradientsOf(() => fused.matMul({a, b, ...transposes}), 'fusedMatMul__op').own).toBeUndefined();
      }
      expect(gradientsOf(() => fused.matMul({a, b}), 'fusedMatMul__op').own).toBeDefined();
    });
  });

  it('leaves batches of products, and other biases than a vector, to tfjs', () => {
    tidy(() => {
      const batches = () => fused.matMul({a: random(1, 2, 3, 4) as never, b: random(2, 2, 4, 3) as never});
      expect(gradientsOf(batches, 'fusedMatMul__op').own).toBeUndefined();
      if (backend === 'wasm') return;
      const [a, b] = [random(1, 3, 4) as Tensor2D, random(2, 4, 2) as Tensor2D];
      const matrix = () => fused.matMul({a, b, bias: random(3, 3, 2)});
      expect(gradientsOf(matrix, 'fusedMatMul__op').own).toBeUndefined();
    });
  });

  it('of a bias that is added to each row is that of tfjs', () => {
    tidy(() => {
      for (const [x, bias] of [
        [[4, 3], [3]],
        [[2, 3, 20], [20]],
        [[1, 5], [5]],
      ] as const) {
        const {own, stock} = gradientsOf(() => add(random(1, ...x), random(2, ...bias)), 'Add');
        expectAlike(own, stock);
      }
      // The vector is first, there is one entry of it, it is broadcast itself, or there are two of
      // them.
      for (const [x, y] of [
        [[3], [4, 3]],
        [[4, 3], [1]],
        [[4, 1], [3]],
        [[3], [3]],
        [
          [4, 3],
          [4, 3],
        ],
      ] as const) {
        expect(gradientsOf(() => add(random(1, ...x), random(2, ...y)), 'Add').own).toBeUndefined();
      }
    });
  });

  it('of a tile of single entries is that of tfjs', () => {
    tidy(() => {
      for (const [shape, reps] of [
        [
          [1, 3],
          [4, 1],
        ],
        [
          [1, 1, 2],
          [3, 2, 1],
        ],
        [
          [2, 3],
          [1, 1],
        ],
        [[1], [5]],
      ] as const) {
        const {own, stock} = gradientsOf(() => tile(random(1, ...shape), [...reps]), 'Tile');
        expectAlike(own, stock);
      }
      expect(gradientsOf(() => tile(random(1, 2, 1), [2, 3]), 'Tile').own).toBeUndefined();
    });
  });

  it('of upsampling by whole factors adds up over each block of pixels', () => {
    const resized =
      (shape: number[], size: number[], attrs: object = {}) =>
      () =>
        engine().runKernel(
          'ResizeNearestNeighbor',
          {images: random(1, ...shape)},
          {
            alignCorners: false,
            halfPixelCenters: false,
            size,
            ...attrs,
          },
        ) as Tensor;
    tidy(() => {
      const {own} = gradientsOf(resized([2, 2, 1, 1], [4, 2]), 'ResizeNearestNeighbor');
      const dy = random(7, 2, 4, 2, 1).dataSync();
      const at = (...positions: number[]) => positions.reduce((sum, i) => sum + (dy[i] as number), 0);
      expectClose(
        own?.images?.() as Tensor,
        [at(0, 1, 2, 3), at(4, 5, 6, 7), at(8, 9, 10, 11), at(12, 13, 14, 15)],
        close,
      );
      // Of a single row, tfjs is right.
      for (const [shape, size] of [
        [
          [1, 2, 3, 2],
          [4, 9],
        ],
        [
          [1, 3, 2, 1],
          [3, 8],
        ],
        [
          [1, 2, 2, 3],
          [2, 2],
        ],
      ] as const) {
        const one = gradientsOf(resized([...shape], [...size]), 'ResizeNearestNeighbor');
        if (backend === 'cpu') expectAlike(one.own, one.stock);
      }
    });
  });

  it('of other resizing is left to tfjs', () => {
    const resized = (attrs: object) => () =>
      engine().runKernel('ResizeNearestNeighbor', {images: random(1, 1, 2, 2, 1)}, {
        alignCorners: false,
        halfPixelCenters: false,
        size: [4, 4],
        ...attrs,
      } as never) as Tensor;
    tidy(() => {
      for (const attrs of [
        {size: [3, 4]},
        {size: [4, 3]},
        {size: [1, 2]},
        {alignCorners: true},
        {halfPixelCenters: true},
      ]) {
        expect(gradientsOf(resized(attrs), 'ResizeNearestNeighbor').own).toBeUndefined();
      }
    });
  });

  it('gives way to one that somebody registered', () => {
    const stock = getGradient('Tile') as GradConfig;
    unregisterGradient('Tile');
    registerGradient({...stock, gradFunc: (dy) => ({x: () => mul(dy as Tensor, 2)})});
    try {
      tidy(() => {
        expect(gradientsOf(() => tile(random(1, 1, 3), [4, 1]), 'Tile').own).toBeUndefined();
      });
    } finally {
      unregisterGradient('Tile');
      registerGradient(stock);
    }
  });

  it('is there for no custom gradient or copy in a scope of that name', () => {
    const twice = customGrad((x) => ({value: mul(x as Tensor, 2), gradFunc: (dy) => mul(dy as Tensor, 3)}));
    tidy(() => {
      for (const name of ['Tile', 'Add', 'ResizeNearestNeighbor', 'fusedMatMul__op']) {
        const {tape} = record(() =>
          tidy(name, () => twice(engine().runKernel('Square', {x: random(1, 2, 3)}) as Tensor)),
        );
        expect(tape.ops.filter((op) => op.name === name).map(({kind}) => kind)).toEqual(['copy', 'custom']);
        for (const op of tape.ops.filter((one) => one.name === name)) {
          expect(ownGradients({op, saved: op.saved, attrs: op.attrs}, random(1, 2, 3))).toBeUndefined();
        }
        tape.dispose();
      }
    });
  });

  it('is there for no other op', () => {
    tidy(() => {
      expect(gradientsOf(() => transpose(tensor([[1, 2]])), 'Transpose').own).toBeUndefined();
    });
  });
});

describeOnBackends('a relu', (backend) => {
  trainsOn(backend);

  const relusOf = (tape: {ops: readonly TapedOp[]}) => tape.ops.filter(({name}) => name === 'Relu');

  it('saves its output if a later op saves it too, and its input otherwise', () => {
    tidy(() => {
      const [x, w] = [tensor([-1, 0, 2, 3], [2, 2]), tensor([1, 2, 3, 4], [2, 2])];
      const {tape} = record(() => {
        const read = matMul(relu(mul(x, 2)), w);
        return add(read, neg(relu(mul(x, 3))));
      });
      shareRelus(tape.ops);
      const [first, second] = relusOf(tape) as [TapedOp, TapedOp];
      expect([...(first.saved[0] as Tensor).dataSync()]).toEqual([0, 0, 4, 6]);
      expect([...(second.saved[0] as Tensor).dataSync()]).toEqual([-3, 0, 6, 9]);
      tape.dispose();
    });
  });

  it('saves its output where the layer after it alone has kept that', () => {
    const before = memory().numTensors;
    tidy(() => {
      const x = tensor([-1, 2, 3, -4], [1, 2, 2, 1]);
      const {tape} = record(() => tidy(() => maxPool(relu(mul(x, 2)) as Tensor4D, 2, 1, 'same')));
      const [op] = relusOf(tape) as [TapedOp];
      expect(op.outputs[0]?.isDisposed).toBe(true);
      shareRelus(tape.ops);
      expect([...(op.saved[0] as Tensor).dataSync()]).toEqual([0, 4, 6, 0]);
      tape.dispose();
    });
    expect(memory().numTensors).toBe(before);
  });

  it('has the same gradient either way, and leaks neither', () => {
    const before = memory().numTensors;
    fc.assert(
      fc.property(fc.array(fc.constantFrom(-2, -0, 0, 1e-40, 3), {minLength: 4, maxLength: 4}), (values) => {
        tidy(() => {
          const [x, dy] = [tensor(values, [2, 2]), tensor([1, -2, 3, 4], [2, 2])];
          const gradientsBy = (share: boolean) => {
            const {tape} = record(() => matMul(relu(mul(x, 1)), x));
            if (share) shareRelus(tape.ops);
            const [op] = relusOf(tape) as [TapedOp];
            const gradient =
              ownGradients({op, saved: op.saved, attrs: op.attrs}, dy) ?? op.gradient?.([dy], op.saved, {});
            const found = [...((gradient as Gradients).x as () => Tensor)().dataSync()];
            tape.dispose();
            return found;
          };
          expect(gradientsBy(true)).toEqual(gradientsBy(false));
        });
      }),
      RUNS,
    );
    expect(memory().numTensors).toBe(before);
  });

  it('keeps its input if other code has replaced its gradient', () => {
    const stock = getGradient('Relu') as GradConfig;
    unregisterGradient('Relu');
    registerGradient({...stock, gradFunc: (dy) => ({x: () => dy as Tensor})});
    tidy(() => {
      const x = tensor([-1, 2], [1, 2]);
      const {tape} = record(() => matMul(relu(mul(x, 1)), x, false, true));
      shareRelus(tape.ops);
      const [op] = relusOf(tape) as [TapedOp];
      expect([...(op.saved[0] as Tensor).dataSync()]).toEqual([-1, 2]);
      tape.dispose();
    });
    unregisterGradient('Relu');
    registerGradient(stock);
  });
});
