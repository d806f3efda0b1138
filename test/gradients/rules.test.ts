import {getGradient, getKernel, keep, reshape, Tensor, tensor, tidy} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {record, type TapedOp} from '../../src/engine';
import {ownGradients} from '../../src/gradients/ownGradients';
import {cutShape, type Place} from '../../src/gradients/places';
import {cutOp, RULED_OPS, rowsForward} from '../../src/gradients/rules';
import {describeOnBackends} from '../support/backends';
import {expectSameDirection} from '../support/close';
import {
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

/** Expects that the kept rows of the outputs stay as they are when other rows of the inputs change, where the rule says so. */
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
    sums[((row * height + sourceY) * width + sourceX) * channels + c]! += value;
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

/** Expects that the gradient of the kept rows is that of tfjs for all rows, where the rule says that it can be cut. */
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
    {...RUNS, numRuns: 30},
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
  beforeAll(() => {
    if (backend === 'wasm') enableWasmTraining();
  });
  afterAll(() => {
    if (backend === 'wasm') enableWasmTraining()();
  });
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
});
