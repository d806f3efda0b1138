import {
  add,
  where as chooseEach,
  div,
  exp,
  less,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  sqrt,
  sub,
  type Tensor1D,
} from '@tensorflow/tfjs-core';

/** 1 / e in float32 and its rounding error, so that x + 1 / e keeps its digits near 0. */
const [INVERSE_E, REST] = [Math.fround(1 / Math.E), 1 / Math.E - Math.fround(1 / Math.E)];

/** Coefficients of W₀ near −1 / e, a series in p = √(2 (e x + 1)). */
const SERIES = [-1, 1, -1 / 3, 11 / 72, -43 / 540, 769 / 17280, -221 / 8505, 680863 / 43545600, -1963 / 204120];

/** Bound of p below which the series is more exact than float32 steps, which divide by W + 1. */
const NEAR = 0.25;

/** Bound of x: beyond it exp(W) would overflow. */
const LARGEST = 1e30;

/**
 * Computes `exp(−W₀(x))` for x ≥ −1 / e with the Lambert W function, `W₀ e^{W₀} = x`.
 *
 * Within 3e-6 of float64; near −1 / e only if `distance` holds x + 1 / e with all its digits. Takes
 * two steps of Halley's method, for x < 0 from the series, otherwise from Winitzki's estimate:
 *
 *     l (1 − log(1 + l) / (2 + l)),   l = log(1 + x)
 */
export function expOfMinusW(given: Tensor1D, distance?: Tensor1D): Tensor1D {
  const x = minimum(given, LARGEST) as Tensor1D;
  const known = minimum(distance ?? add(add(x, INVERSE_E), REST), LARGEST);
  const p = sqrt(mul(maximum(known, 0), 2 * Math.E)) as Tensor1D;
  const series = SERIES.reduceRight<Tensor1D | undefined>(
    (sum, factor) => add(sum ? mul(sum, p) : mul(p, 0), factor) as Tensor1D,
    undefined,
  ) as Tensor1D;
  const l = log1p(maximum(x, 0));
  const estimate = mul(l, sub(1, div(log1p(l), add(l, 2))));
  const first = chooseEach(less(x, 0), series, estimate) as Tensor1D;
  const w = halleyStep(halleyStep(first, x), x);
  return exp(neg(chooseEach(less(p, NEAR), series, w))) as Tensor1D;
}

/** Improves a guess of W₀(x). */
function halleyStep(w: Tensor1D, x: Tensor1D): Tensor1D {
  const power = exp(w);
  const [error, above] = [sub(mul(w, power), x), add(w, 1)];
  const bend = div(mul(add(w, 2), error), mul(above, 2));
  return sub(w, div(error, sub(mul(power, above), bend)));
}
