/** `exp(−W₀(x))` in float64: W by bisection of W e^W = x, which rises from W = −1 on. */
export function expOfMinusWInFloat64(x: number): number {
  let [low, high] = [-1, Math.max(1, Math.log(Math.max(x, 1)))];
  if (x <= -1 / Math.E) return Math.E;
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle * Math.exp(middle) < x) low = middle;
    else high = middle;
  }
  return Math.exp(-low);
}
