import {RELU, TANH} from './kinds';

/** The sum of squares of all numbers, in no particular order: `result[0] = Σ x²`. */
@unmanaged
export class SquareSum {
  x: usize;
  result: usize;
  bytes: usize;
}

/** Computes it in eight parts, of which each has every eighth number. */
export function computeSquareSum(given: SquareSum): void {
  let at = given.x;
  const end = at + given.bytes;
  const whole = at + (given.bytes & ~31);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  for (; at < whole; at += 32) {
    const x = v128.load(at);
    const y = v128.load(at, 16);
    a = f32x4.add(a, f32x4.mul(x, x));
    b = f32x4.add(b, f32x4.mul(y, y));
  }
  a = f32x4.add(a, b);
  let total =
    f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3));
  for (; at < end; at += 4) {
    const x = load<f32>(at);
    total += x * x;
  }
  store<f32>(given.result, total);
}

/** A row, added to each row of a matrix: `result[i, j] = x[i, j] + row[j]`. */
@unmanaged
export class RowSum {
  x: usize;
  row: usize;
  result: usize;
  rows: i32;
  /** Bytes of a row. */
  width: usize;
}

export function computeRowSum(given: RowSum): void {
  const row = given.row;
  const width = given.width;
  const whole = width & ~15;
  let x = given.x;
  let result = given.result;
  for (let i = given.rows; i > 0; i--) {
    let at: usize = 0;
    for (; at < whole; at += 16) v128.store(result + at, f32x4.add(v128.load(x + at), v128.load(row + at)));
    for (; at < width; at += 4) store<f32>(result + at, load<f32>(x + at) + load<f32>(row + at));
    x += width;
    result += width;
  }
}

/** A step of SGD: `result = weight + rate · gradient`. */
@unmanaged
export class SgdUpdate {
  weight: usize;
  gradient: usize;
  rate: usize;
  result: usize;
  bytes: usize;
}

export function computeSgdUpdate(given: SgdUpdate): void {
  const rate = load<f32>(given.rate);
  const rates = f32x4.splat(rate);
  const weight = given.weight;
  const gradient = given.gradient;
  const result = given.result;
  const whole = given.bytes & ~15;
  let at: usize = 0;
  for (; at < whole; at += 16) {
    const step = f32x4.mul(rates, v128.load(gradient + at));
    v128.store(result + at, f32x4.add(v128.load(weight + at), step));
  }
  for (; at < given.bytes; at += 4) store<f32>(result + at, load<f32>(weight + at) + rate * load<f32>(gradient + at));
}

/** The gradient of an activation by its output: `result = dy · slope(y)`. */
@unmanaged
export class ActivationGradient {
  dy: usize;
  y: usize;
  result: usize;
  bytes: usize;
  activation: i32;
}

export function computeActivationGradient(given: ActivationGradient): void {
  const activation = given.activation;
  const dy = given.dy;
  const y = given.y;
  const result = given.result;
  const whole = given.bytes & ~15;
  let at: usize = 0;
  for (; at < whole; at += 16)
    v128.store(result + at, throughActivation(activation, v128.load(dy + at), v128.load(y + at)));
  for (; at < given.bytes; at += 4) {
    const gradient = throughActivation(activation, v128.load32_zero(dy + at), v128.load32_zero(y + at));
    store<f32>(result + at, f32x4.extract_lane(gradient, 0));
  }
}

function throughActivation(activation: i32, dy: v128, y: v128): v128 {
  const one = f32x4.splat(1);
  if (activation === RELU) {
    const slope = v128.and(one, f32x4.gt(y, f32x4.splat(0)));
    // Where y is NaN, so is its slope.
    return f32x4.mul(dy, v128.bitselect(y, slope, f32x4.ne(y, y)));
  }
  if (activation === TANH) return f32x4.mul(f32x4.sub(one, f32x4.mul(y, y)), dy);
  return f32x4.mul(dy, f32x4.mul(y, f32x4.sub(one, y)));
}
