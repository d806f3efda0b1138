/** @file The losses in float64 and plain loops, written from their formulas: what the tensors are held against. */

/** The loss of one row from its truth and its prediction. */
export type RowLoss = (truth: readonly number[], predicted: readonly number[]) => number;

export interface CrossentropyOptions {
  fromLogits?: boolean;
  labelSmoothing?: number;
  classWeights?: readonly number[];
}

/** `−Σ_c w_c · ((1 − s) · y_c + s / C) · log p_c`. */
export function categoricalOracle({
  fromLogits = false,
  labelSmoothing = 0,
  classWeights,
}: CrossentropyOptions): RowLoss {
  return (truth, predicted) => {
    const logTotal = fromLogits ? logSumExp(predicted) : Math.log(total(predicted));
    return total(
      truth.map((y, c) => {
        const target = (1 - labelSmoothing) * y + labelSmoothing / truth.length;
        const score = at(predicted, c);
        return -(classWeights ? at(classWeights, c) : 1) * target * ((fromLogits ? score : Math.log(score)) - logTotal);
      }),
    );
  };
}

/** `mean_d −(y_d · log p_d + (1 − y_d) · log(1 − p_d))` with `y ← (1 − s) · y + s / 2`. */
export function binaryOracle({fromLogits = false, labelSmoothing = 0}: CrossentropyOptions): RowLoss {
  return (truth, predicted) =>
    mean(
      truth.map((y, d) => {
        const target = (1 - labelSmoothing) * y + labelSmoothing / 2;
        const x = at(predicted, d);
        const [logYes, logNo] = fromLogits ? [-softplus(-x), -softplus(x)] : [Math.log(x), Math.log1p(-x)];
        return -(target * logYes + (1 - target) * logNo);
      }),
    );
}

/** `mean_d (p_d − y_d)²`. */
export const meanSquaredOracle: RowLoss = (truth, predicted) => mean(truth.map((y, d) => (at(predicted, d) - y) ** 2));

/** `½ Σ_d (p_d − y_d)²`. */
export const halfSquaredOracle: RowLoss = (truth, predicted) =>
  total(truth.map((y, d) => (at(predicted, d) - y) ** 2)) / 2;

/** The losses of all rows, whose values lie one after the other. */
export function lossesByRow(
  loss: RowLoss,
  truth: readonly number[],
  predicted: readonly number[],
  width: number,
): number[] {
  return rowsOf(truth, width).map((row, r) => loss(row, at(rowsOf(predicted, width), r)));
}

/** d(Σ losses)/d(predicted), by central differences. */
export function differencesByRow(
  loss: RowLoss,
  truth: readonly number[],
  predicted: readonly number[],
  width: number,
): number[] {
  const truths = rowsOf(truth, width);
  return rowsOf(predicted, width).flatMap((row, r) => row.map((_, d) => difference(loss, at(truths, r), row, d)));
}

/** With h = 1e-5 · (|x| + 1e-3) both the truncation, ~h²/x², and the rounding, ~1e-16/h, stay below 1e-6. */
function difference(loss: RowLoss, truth: readonly number[], row: readonly number[], d: number): number {
  const x = at(row, d);
  const h = 1e-5 * (Math.abs(x) + 1e-3);
  const lossAt = (value: number) =>
    loss(
      truth,
      row.map((other, i) => (i === d ? value : other)),
    );
  return (lossAt(x + h) - lossAt(x - h)) / (2 * h);
}

/** `softmax(x)` in float64. */
export function softmaxOracle(logits: readonly number[]): number[] {
  const logTotal = logSumExp(logits);
  return logits.map((x) => Math.exp(x - logTotal));
}

export function rowsOf(values: readonly number[], width: number): number[][] {
  return Array.from({length: values.length / width}, (_, r) => values.slice(r * width, (r + 1) * width));
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(total(values.map((value) => Math.exp(value - largest))));
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function mean(values: readonly number[]): number {
  return total(values) / values.length;
}

function at<T>(values: readonly T[], index: number): T {
  return values[index] as T;
}
