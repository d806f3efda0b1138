import {
  cumsum,
  customGrad,
  engine,
  fused,
  type GradConfig,
  getGradient,
  getKernel,
  keep,
  logSoftmax,
  losses,
  matMul,
  maximum,
  minimum,
  prelu,
  Reduction,
  registerGradient,
  reshape,
  reverse,
  scatterND,
  slice,
  softmax,
  split,
  square,
  squaredDifference,
  stridedSlice,
  Tensor,
  type Tensor2D,
  type Tensor4D,
  tensor,
  tidy,
  tile,
  topk,
  unregisterGradient,
} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type KernelRun, record, type TapedOp} from '../../src/engine';
import {ownGradients} from '../../src/gradients/ownGradients';
import {cutShape, type Place, sizeOf} from '../../src/gradients/places';
import {cutOp, RULED_OPS, rowsForward} from '../../src/gradients/rules';
import {describeOnBackends} from '../support/backends';
import {expectSameDirection} from '../support/close';
import {
  addTo,
  type Draw,
  drawFrom,
  type InputSpec,
  inputsOf,
  OP_SAMPLES,
  type OpCase,
  placesIn,
  putBack,
  rowAt,
  taken,
  tensorOf,
} from '../support/opCases';
import {RUNS, randomFrom} from '../support/property';
import {tidied} from '../support/tensors';
import {trainsOn} from '../support/wasmTraining';

/** Ops whose rule is for the forward pass alone. */
const FORWARD_ONLY = ['Conv3DBackpropInputV2', 'OneHot', '_FusedMatMul', 'FusedConv2D', 'FusedDepthwiseConv2D'];
const CUSTOM = [
  'fusedMatMul__op',
  'fusedConv2d__op',
  'fusedDepthwiseConv2d__op',
  'logSoftmax__op',
  'softmaxCrossEntropy__op',
];

/** What `import '@tensorflow/tfjs'` does: the gradient of a product needs it. */
Object.assign(Tensor.prototype, {
  reshape(this: Tensor, shape: number[]) {
    return reshape(this, shape);
  },
});

/** Runs a case on a tape, and finds the op that it is about. */
function taped(sample: OpCase, name: string, inputs: Record<string, Tensor>): TapedOp {
  const {tape} = record(() => sample.run(inputs));
  for (const tensors of tape.ops.map(({saved}) => saved)) for (const saved of tensors) keep(saved);
  const op = [...tape.ops].reverse().find((one) => one.name === name && one.kind !== 'copy');
  if (!op) throw new Error(`${name} is not on the tape`);
  return op;
}

const isFloat = ({dtype}: Tensor) => dtype === 'float32';

/**
 * Expects that the kept rows of the outputs stay as they are when other rows of the inputs change,
 * where the rule says so.
 */
function checkForward(
  sample: OpCase,
  name: string,
  places: Place[],
  batch: number,
  rows: number[],
  seed: number,
): boolean {
  const inputs = inputsOf(sample, seed);
  const op = taped(sample, name, inputs);
  const found = rowsForward(op, {places, batchSize: batch, kept: batch});
  if (!found) return false;
  const random = randomFrom(seed + 1);
  const moved = Object.entries(inputs).map(([key, input]) => {
    const place = found[key];
    if (!place) return [key, input] as const;
    expect(place.outer * place.inner * batch).toBe(input.size);
    const other = tensorOf(sample.inputs[key] as InputSpec, random).dataSync();
    const values = input
      .dataSync()
      .map((value, i) => (rows.includes(rowAt(i, place, batch)) ? value : (other[i] as number)));
    return [key, tensor(values, input.shape, input.dtype)] as const;
  });
  const again = taped(sample, name, Object.fromEntries(moved));
  for (const [i, output] of op.outputs.entries()) {
    const kept = (t: Tensor) => taken(t.dataSync(), places[i] as Place, batch, rows);
    expectSameDirection(kept(again.outputs[i] as Tensor), kept(output), 1e-6);
  }
  return true;
}

/** The gradients of an op for these saved tensors and gradients of its outputs. */
function gradientsOf(op: TapedOp, saved: Tensor[], attrs: TapedOp['attrs'], dys: Tensor[]) {
  return ownGradients({op, saved, attrs}, dys[0] as Tensor) ?? op.gradient?.(dys, saved, attrs) ?? {};
}

/** Sums up over each block of pixels: tfjs's own gradient of it is wrong on cpu. */
function nearestNeighborGradient(op: TapedOp, dy: Tensor): number[] {
  const [, height, width, channels] = (op.inputs.images as Tensor).shape as [number, number, number, number];
  const [rows, newHeight, newWidth] = dy.shape as [number, number, number];
  const sums = new Array<number>(rows * height * width * channels).fill(0);
  dy.dataSync().forEach((value, i) => {
    const [c, x, y] = [
      i % channels,
      Math.floor(i / channels) % newWidth,
      Math.floor(i / channels / newWidth) % newHeight,
    ];
    const row = Math.floor(i / channels / newWidth / newHeight);
    const [sourceY, sourceX] = [Math.floor((y * height) / newHeight), Math.floor((x * width) / newWidth)];
    addTo(sums, ((row * height + sourceY) * width + sourceX) * channels + c, value);
  });
  return sums;
}

interface Backward {
  sample: OpCase;
  name: string;
  places: Place[];
  batch: number;
  rows: number[];
  seed: number;
  wantedOf(names: string[]): string[];
}

/**
 * Expects that the gradient of the kept rows is that of tfjs for all rows, where the rule says that
 * it can be cut.
 */
function checkBackward({sample, name, places, batch, rows, seed, wantedOf}: Backward): boolean {
  const op = taped(sample, name, inputsOf(sample, seed));
  const wanted = wantedOf(Object.keys(op.inputs).filter((key) => isFloat(op.inputs[key] as Tensor)));
  const cut = cutOp(op, {places, batchSize: batch, kept: rows.length}, wanted);
  if (!cut || wanted.length === 0) return false;
  const random = randomFrom(seed + 2);
  const dys = op.outputs.map(({shape}, i) =>
    tensorOf({shape: cutShape(shape, places[i] as Place, batch, rows.length)}, random),
  );
  const allDys = dys.map((dy, i) =>
    tensor(putBack(dy.dataSync(), places[i] as Place, batch, rows), (op.outputs[i] as Tensor).shape),
  );
  const saved = op.saved.map((whole, i) => {
    const place = cut.saved[i];
    if (!place) return whole;
    return tensor(
      taken(whole.dataSync(), place, batch, rows),
      cutShape(whole.shape, place, batch, rows.length),
      whole.dtype,
    );
  });
  const got = gradientsOf(op, saved, cut.attrs, dys);
  const expected = op.gradient?.(allDys, op.saved, op.attrs) ?? {};
  for (const key of wanted) {
    const [input, place] = [op.inputs[key] as Tensor, cut.inputs[key]];
    const value = (got[key] as () => Tensor)();
    expect(value.shape).toEqual(place ? cutShape(input.shape, place, batch, rows.length) : input.shape);
    const whole =
      name === 'ResizeNearestNeighbor'
        ? nearestNeighborGradient(op, allDys[0] as Tensor)
        : (expected[key] as () => Tensor)();
    if ('shape' in whole) expect(whole.shape).toEqual(input.shape);
    const values = place ? putBack(value.dataSync(), place, batch, rows) : value;
    expectSameDirection(values, whole, 1e-5, 1e-6);
  }
  return true;
}

function rowsOf(draw: Draw, batch: number): number[] {
  return Array.from({length: draw.int(1, batch + 1)}, () => draw.int(0, batch - 1));
}

/** Tries random cases of an op, and counts those that its rule allows. */
function tryOut(
  name: string,
  check: (sample: OpCase, places: Place[], batch: number, draw: Draw, seed: number) => boolean,
): number {
  let allowed = 0;
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const draw = drawFrom(g);
      const batch = draw.int(2, 4);
      const sample = (OP_SAMPLES.get(name) as (draw: Draw, batch: number) => OpCase)(draw, batch);
      const seed = draw.int(1, 1e6);
      tidy(() => {
        const op = taped(sample, name, inputsOf(sample, seed));
        for (const places of placesIn(
          op.outputs.map(({shape}) => shape),
          batch,
        )) {
          if (check(sample, places, batch, draw, seed)) allowed++;
        }
        for (const {saved} of [op]) for (const one of saved) one.dispose();
      });
    }),
    {...RUNS, numRuns: 24},
  );
  return allowed;
}

describe('the random cases', () => {
  it('are of every op that has a rule', () => {
    const missing = RULED_OPS.filter((name) => !OP_SAMPLES.has(name));
    expect(missing).toEqual([]);
  });
});

describeOnBackends('the rule', (backend) => {
  trainsOn(backend);
  const names = [...OP_SAMPLES.keys()].filter((name) => CUSTOM.includes(name) || getKernel(name, backend));

  it.each(names)('of %s tells where rows of its output come from', (name) => {
    const allowed = tryOut(name, (sample, places, batch, draw, seed) =>
      checkForward(sample, name, places, batch, rowsOf(draw, batch), seed),
    );
    expect(allowed).toBeGreaterThan(0);
  });

  const differentiable = names.filter((name) => CUSTOM.includes(name) || getGradient(name));
  it.each(differentiable)('of %s tells how its gradient is cut', (name) => {
    const allowed = tryOut(name, (sample, places, batch, draw, seed) =>
      checkBackward({
        ...{sample, name, places, batch, seed},
        rows: rowsOf(draw, batch),
        wantedOf: (keys) => keys.filter(() => draw.int(0, 3) > 0),
      }),
    );
    if (FORWARD_ONLY.includes(name)) expect(allowed).toBe(0);
    else expect(allowed).toBeGreaterThan(0);
  });

  const B = 4;
  const seeded = (...shape: number[]) => tensorOf({shape}, randomFrom(shape.length + 5));
  /** How the last op of `f` is cut at a place, and where its rules says that rows come from. */
  const asked = (f: () => Tensor | Tensor[], name: string, place: Place, batchSize = B, kept = 2) =>
    tidied(() => {
      const op = taped({inputs: {}, run: f}, name, {});
      const places = op.outputs.map(() => place);
      const wanted = Object.keys(op.inputs);
      return {
        back: cutOp(op, {places, batchSize, kept}, wanted),
        forward: rowsForward(op, {places, batchSize, kept}),
      };
    });
  const leading = (...rest: number[]) => ({outer: 1, inner: sizeOf(rest)});

  it('is called for no op that is unknown, or whose rows straddle several axes', () => {
    const refused = {back: undefined, forward: undefined};
    const x = () => seeded(B, 6);
    expect(asked(() => topk(x(), 2).values, 'TopK', leading(2))).toEqual(refused);
    expect(asked(() => stridedSlice(x(), [0, 0], [B, 6], [1, 2]), 'StridedSlice', leading(3))).toEqual(refused);
    expect(
      asked(() => scatterND(tensor([[0], [2]], [2, 1], 'int32'), seeded(2, 6), [B, 6]), 'ScatterNd', leading(6)),
    ).toEqual(refused);
    expect(asked(() => square(seeded(2, 2, 3)), 'Square', leading(3))).toEqual(refused);
    // Rows 1 to 4 of two rounds of the batch: each is another one than it was.
    expect(asked(() => slice(seeded(2 * B, 3), [1, 0], [B, 3]), 'Slice', leading(3))).toEqual(refused);
    expect(asked(() => slice(seeded(2 * B - 1, 3), [0, 0], [B, 3]), 'Slice', leading(3))).toEqual(refused);
    expect(asked(() => reshape(x(), [2, 2, 6]), 'Reshape', leading(6))).toEqual(refused);
    expect(asked(() => reshape(seeded(2, 2, 6), [B, 6]), 'Reshape', leading(6))).toEqual(refused);
    expect(asked(() => matMul(x(), seeded(3, 6, 2)), 'BatchMatMul', {outer: 3, inner: 2})).toEqual(refused);
  });

  it('finds rows on whichever side of a product they lie', () => {
    const found = (a: number[], b: number[], transposes: [boolean, boolean], place: Place) =>
      asked(() => matMul(seeded(...a), seeded(...b), ...transposes), 'BatchMatMul', place).back?.inputs;
    expect(found([B, 3], [3, 2], [false, false], leading(2))).toEqual({a: leading(3), b: undefined});
    expect(found([3, B], [3, 2], [true, false], leading(2))).toEqual({a: {outer: 3, inner: 1}, b: undefined});
    expect(found([2, 3], [3, B], [false, false], {outer: 2, inner: 1})).toEqual({
      a: undefined,
      b: {outer: 3, inner: 1},
    });
    expect(found([2, 3], [B, 3], [false, true], {outer: 2, inner: 1})).toEqual({a: undefined, b: leading(3)});
    expect(found([B, 2, 3], [B, 3, 5], [false, false], leading(2, 5))).toEqual({a: leading(2, 3), b: leading(3, 5)});
    expect(found([2, B, 3], [1, 3, 5], [false, false], {outer: 2, inner: 5})).toEqual({
      a: {outer: 2, inner: 3},
      b: undefined,
    });
    expect(found([B, 2, 3], [1, 3, 5], [false, false], leading(2, 5))).toBeUndefined();
    // Square matrices: shapes do not tell.
    expect(found([B, B], [B, B], [true, true], leading(B))).toEqual({a: {outer: B, inner: 1}, b: undefined});
  });

  it('takes parts of a split if the rows of all lie on one axis', () => {
    const parted = (places: [Place, Place], sizes: number[], axis: number) =>
      tidied(() => {
        const op = taped(
          {inputs: {}, run: () => split(seeded(B, (sizes[0] as number) + (sizes[1] as number)), sizes, axis)},
          'SplitV',
          {},
        );
        return cutOp(op, {places, batchSize: B, kept: 2}, ['x'])?.inputs as object;
      });
    expect(parted([leading(1), leading(3)], [1, 3], 1)).toEqual({x: leading(4)});
    expect(parted([leading(B), leading(B)], [B, B], 1)).toEqual({x: leading(2 * B)});
    // Rows in the second part lie on the other axis.
    expect(parted([leading(B), {outer: B, inner: 1}], [B, B], 1)).toBeUndefined();
    expect(
      parted(
        [
          {outer: B, inner: 2},
          {outer: 2 * B, inner: 1},
        ],
        [2 * B, 2 * B],
        1,
      ),
    ).toBeUndefined();
  });

  it('goes by the attributes of a fused product, which its custom gradient does not show', () => {
    const [w, x] = [seeded(B, B) as Tensor2D, seeded(B, B) as Tensor2D];
    const fusedOp = (config: object) => () => fused.matMul({a: x, b: w, ...config});
    const back = (config: object) => asked(fusedOp(config), 'fusedMatMul__op', leading(B)).back;
    expect(back({})?.inputs).toEqual({0: leading(B), 1: undefined});
    expect(back({transposeB: true})?.inputs).toEqual({0: leading(B), 1: undefined});
    expect(back({transposeA: true})?.inputs).toEqual({0: {outer: B, inner: 1}, 1: undefined});
    expect(back({bias: seeded(B)})).toMatchObject({
      inputs: {2: undefined},
      saved: [leading(B), undefined, leading(B), undefined],
    });
  });

  it('is called for no fused op that took, saved or ran something else', () => {
    tidy(() => {
      const op = taped(
        {inputs: {}, run: () => fused.matMul({a: seeded(B, 3), b: seeded(3, 2), bias: seeded(2)} as never)},
        'fusedMatMul__op',
        {},
      );
      const cut = {places: [leading(2)], batchSize: B, kept: 2};
      const [kernel] = op.inner.filter(({name}) => name === '_FusedMatMul') as [KernelRun];
      const other = seeded(3, 2);
      expect(cutOp(op, cut, ['0'])).toBeDefined();
      const spoilt: Partial<TapedOp>[] = [
        {inner: []},
        {inner: [kernel, kernel]},
        {inner: [{...kernel, name: 'FusedConv2D'}]},
        {inner: [{...kernel, inputs: {...kernel.inputs, preluActivationWeights: other}}]},
        {inner: [{...kernel, attrs: {...kernel.attrs, activation: 'relu'}}]},
        {inputs: {...op.inputs, 1: other}},
        {inputs: {...op.inputs, 3: other}},
        {originals: [...op.originals].reverse()},
        {originals: [...op.originals, other]},
        {name: 'somebody__op'},
      ];
      for (const change of spoilt) {
        expect(cutOp({...op, ...change}, cut, ['0'])).toBeUndefined();
        expect(rowsForward({...op, ...change}, cut)).toBeUndefined();
      }
    });
  });

  it('does not trust an alpha of rows that is broadcast, which wasm uses for other rows', () => {
    const refused = {back: undefined, forward: undefined};
    expect(asked(() => prelu(seeded(B, 3), seeded(B, 1)), 'Prelu', leading(3))).toEqual(refused);
    const {back} = asked(() => prelu(seeded(B, 2, 3), seeded(2, 3)), 'Prelu', leading(2, 3));
    expect(back?.inputs).toEqual({x: leading(2, 3), alpha: undefined});
    expect(asked(() => prelu(seeded(B, 3), seeded(B, 3)), 'Prelu', leading(3)).back?.inputs).toEqual({
      x: leading(3),
      alpha: leading(3),
    });
  });

  it('does not trust a choice between rows by a vector, which the kernel lays along the first axis', () => {
    const condition = () => tensor([1, 0, 0, 1], [B], 'bool');
    const chosen = (shape: number[]) => () =>
      engine().runKernel('Select', {
        condition: shape.length > 1 ? tile(reshape(condition(), [1, B]), [B, 1]) : condition(),
        t: seeded(B, B),
        e: seeded(B, B),
      }) as Tensor;
    for (const place of [leading(B), {outer: B, inner: 1}]) {
      expect(asked(chosen([B]), 'Select', place)).toEqual({back: undefined, forward: undefined});
      expect(asked(chosen([B, B]), 'Select', place).forward).toEqual({condition: place, t: place, e: place});
    }
  });

  it('leaves convolutions with a bias for each row, or rows in pixels, with all rows', () => {
    const images = () => seeded(B, 4, 4, 2) as Tensor4D;
    const convolved = (bias?: Tensor) => () =>
      fused.conv2d({x: images(), filter: seeded(2, 2, 2, 3) as Tensor4D, strides: 1, pad: 'same', ...(bias && {bias})});
    expect(asked(convolved(), 'fusedConv2d__op', leading(4, 4, 3)).back).toBeDefined();
    expect(asked(convolved(), 'fusedConv2d__op', {outer: B, inner: 12}).back).toBeUndefined();
    if (backend === 'wasm') return;
    expect(asked(convolved(seeded(B, 1, 1, 3)), 'fusedConv2d__op', leading(4, 4, 3)).back).toBeUndefined();
  });

  it('does not cut a softmax along the rows, nor the loss of one', () => {
    const at = {outer: 3, inner: 1};
    const refused = {back: undefined, forward: undefined};
    expect(asked(() => softmax(seeded(3, B)), 'Softmax', at)).toEqual(refused);
    expect(asked(() => logSoftmax(seeded(3, B)), 'logSoftmax__op', at)).toEqual(refused);
    const loss = (reduction: Reduction) => () =>
      losses.softmaxCrossEntropy(seeded(B, 3), seeded(B, 3), undefined, undefined, reduction);
    expect(asked(loss(Reduction.NONE), 'softmaxCrossEntropy__op', leading()).back?.saved).toEqual([
      leading(3),
      leading(3),
    ]);
    expect(asked(loss(Reduction.MEAN), 'softmaxCrossEntropy__op', leading()).back?.saved).toEqual([
      leading(3),
      leading(3),
    ]);
  });

  it('leaves gradients of tfjs that are not summed over broadcast axes with all rows', () => {
    for (const [op, name] of [
      [maximum, 'Maximum'],
      [minimum, 'Minimum'],
      [squaredDifference, 'SquaredDifference'],
    ] as const) {
      const {back, forward} = asked(() => op(seeded(B, 3), seeded(3)), name, leading(3));
      expect([back, forward]).toEqual([undefined, {a: leading(3), b: undefined}]);
      expect(asked(() => op(seeded(B, 3), seeded(B, 3)), name, leading(3)).back).toBeDefined();
    }
  });

  it('of a sum along another axis than the last is for the forward pass alone', () => {
    const {back, forward} = asked(() => cumsum(seeded(B, 3, 2), 1), 'Cumsum', leading(3, 2));
    expect([back, forward]).toEqual([undefined, {x: leading(3, 2)}]);
    expect(asked(() => cumsum(seeded(B, 3, 2), 2), 'Cumsum', leading(3, 2)).back).toBeDefined();
  });

  it('of resizing is for the forward pass alone, but for whole factors', () => {
    const resized = (size: number[], attrs: object = {}) => {
      const images = seeded(B, 2, 2, 1);
      const options = {alignCorners: false, halfPixelCenters: false, size, ...attrs};
      const run = () => engine().runKernel('ResizeNearestNeighbor', {images}, options as never) as Tensor;
      const {back, forward} = asked(run, 'ResizeNearestNeighbor', leading(...size));
      expect(forward).toEqual({images: leading(2, 2)});
      images.dispose();
      return back !== undefined;
    };
    expect([resized([4, 6]), resized([2, 2])]).toEqual([true, true]);
    expect([resized([3, 4]), resized([4, 3]), resized([1, 2])]).toEqual([false, false, false]);
    expect([resized([4, 4], {alignCorners: true}), resized([4, 4], {halfPixelCenters: true})]).toEqual([false, false]);
  });

  it('does not hold for a gradient that somebody registered in the place of that of tfjs', () => {
    const stock = getGradient('Square') as GradConfig;
    const f = () => square(seeded(B, 3));
    expect(asked(f, 'Square', leading(3)).back).toBeDefined();
    unregisterGradient('Square');
    registerGradient({...stock, gradFunc: (dy) => ({x: () => reverse(dy as Tensor, 0)})});
    try {
      expect(asked(f, 'Square', leading(3)).back).toBeUndefined();
    } finally {
      unregisterGradient('Square');
      registerGradient(stock);
    }
    expect(asked(f, 'Square', leading(3)).back).toBeDefined();
  });

  it('does not hold if another number of tensors was saved than the gradient is registered with', () => {
    tidy(() => {
      const op = taped({inputs: {}, run: () => square(seeded(B, 3))}, 'Square', {});
      const cut = {places: [leading(3)], batchSize: B, kept: 2};
      expect(cutOp({...op, saved: []}, cut, ['x'])).toBeUndefined();
      expect(cutOp({...op, saved: [...op.saved, ...op.saved]}, cut, ['x'])).toBeUndefined();
    });
  });

  it('changes the attributes that count rows, also for more rows than the batch has', () => {
    const begun = (kept: number) =>
      asked(() => slice(seeded(3 * B, 2), [B, 1], [2 * B, 1]), 'Slice', {outer: 2, inner: 1}, B, kept).back?.attrs;
    expect([1, 3, 6].map(begun)).toEqual(
      [1, 3, 6].map((kept) => expect.objectContaining({begin: [kept, 1], size: [2 * kept, 1]})),
    );
    const spread = (kept: number) => asked(() => tile(seeded(1, 3), [B, 1]), 'Tile', leading(3), B, kept).back;
    expect([1, 3, 6].map((kept) => spread(kept)?.attrs)).toEqual([1, 3, 6].map((kept) => ({reps: [kept, 1]})));
    expect(spread(2)?.inputs).toEqual({x: undefined});
    expect(asked(() => tile(seeded(B, 3), [1, 2]), 'Tile', leading(6)).back).toMatchObject({
      inputs: {x: leading(3)},
      attrs: {reps: [1, 2]},
    });
  });

  it('passes through the copies that tfjs saves, where a model takes a gradient itself', () => {
    tidy(() => {
      const {tape} = record(() => square(seeded(B, 3)));
      const copy = tape.ops.find(({kind}) => kind === 'copy') as TapedOp;
      const cut = {places: [leading(3)], batchSize: B, kept: 2};
      expect(cutOp(copy, cut, ['x'])).toEqual({inputs: {x: leading(3)}, saved: [], attrs: copy.attrs});
      expect(rowsForward(copy, cut)).toEqual({x: leading(3)});
      tape.dispose();
    });
  });

  it('leaves custom gradients of users with all rows', () => {
    const op = customGrad((x) => ({value: square(x as Tensor), gradFunc: (dy) => reverse(dy as Tensor, 0)}));
    tidy(() => {
      const {tape} = record(() => op(seeded(B, 3)));
      const custom = tape.ops.find(({kind}) => kind === 'custom') as TapedOp;
      const cut = {places: [leading(3)], batchSize: B, kept: 2};
      for (const name of [custom.name, 'logSoftmax__op', 'Square'])
        expect(cutOp({...custom, name}, cut, ['0'])).toBeUndefined();
      tape.dispose();
    });
  });
});
