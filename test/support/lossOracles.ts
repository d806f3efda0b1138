/**
 * @file The losses in float64 and plain loops, written from their formulas: what the tensors are
 *   held against.
 */

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

export interface FocalOptions {
  fromLogits?: boolean;
  gamma?: number;
  alpha?: number | readonly number[];
}

/** `−Σ_c α_c · (1 − p_c)^γ · y_c · log p_c`. */
export function categoricalFocalOracle({fromLogits = false, gamma = 2, alpha = 0.25}: FocalOptions): RowLoss {
  return (truth, predicted) => {
    const sumOfAll = total(predicted);
    const p = fromLogits ? softmaxOracle(predicted) : predicted.map((value) => value / sumOfAll);
    const share = (c: number) => (typeof alpha === 'number' ? alpha : at(alpha, c));
    return -total(truth.map((y, c) => share(c) * (1 - at(p, c)) ** gamma * y * Math.log(at(p, c))));
  };
}

/** `mean_d α_t · (1 − p_t)^γ · crossentropy_d` with `x_t = y · x_yes + (1 − y) · x_no`. */
export function binaryFocalOracle({
  fromLogits = false,
  gamma = 2,
  alpha,
}: {
  fromLogits?: boolean;
  gamma?: number;
  alpha?: number;
}): RowLoss {
  const crossentropy = binaryOracle({fromLogits});
  return (truth, predicted) =>
    mean(
      truth.map((y, d) => {
        const x = at(predicted, d);
        const [yes, no] = fromLogits ? [1 / (1 + Math.exp(-x)), 1 / (1 + Math.exp(x))] : [x, 1 - x];
        const share = alpha === undefined ? 1 : y * alpha + (1 - y) * (1 - alpha);
        return share * (y * no + (1 - y) * yes) ** gamma * crossentropy([y], [x]);
      }),
    );
}

/** `mean_d −(y · log p + (1 − y) · log q) · (1 − y · p − (1 − y) · q)^(γ⁺ · y + γ⁻ · (1 − y))`. */
export function asymmetricOracle({
  fromLogits = false,
  gammaNegative = 4,
  gammaPositive = 1,
  clip = 0.05,
}: {
  fromLogits?: boolean;
  gammaNegative?: number;
  gammaPositive?: number;
  clip?: number;
}): RowLoss {
  return (truth, predicted) =>
    mean(
      truth.map((y, d) => {
        const x = at(predicted, d);
        const [p, no] = fromLogits ? [1 / (1 + Math.exp(-x)), 1 / (1 + Math.exp(x))] : [x, 1 - x];
        const q = Math.min(no + clip, 1);
        // 0 · log 0 is 0.
        const surprise = -(y === 0 ? 0 : y * Math.log(p)) - (y === 1 ? 0 : (1 - y) * Math.log(q));
        const missing = y * no + (1 - y) * Math.max(p - clip, 0);
        return surprise * missing ** (gammaPositive * y + gammaNegative * (1 - y));
      }),
    );
}

/**
 * `Σ_c w_c · y_c · −log softmax(scale · (s − m ∘ y))_c` with `m_c = maxMargin · n_c^(−¼) / max`.
 */
export function ldamOracle(options: {
  counts: readonly number[];
  maxMargin?: number;
  scale?: number;
  classWeights?: readonly number[];
}): RowLoss {
  const {counts, maxMargin = 0.5, scale = 30, classWeights} = options;
  const inverse = counts.map((count) => count ** -0.25);
  const margins = inverse.map((value) => (value * maxMargin) / Math.max(...inverse));
  const crossentropy = categoricalOracle({fromLogits: true, ...(classWeights && {classWeights})});
  return (truth, scores) =>
    crossentropy(
      truth,
      scores.map((score, c) => scale * (score - at(margins, c) * at(truth, c))),
    );
}

/** `Σ_c w_c · y_c · (−log p_c + ε · (1 − p_c))`. */
export function poly1Oracle({
  fromLogits = false,
  epsilon = 1,
  classWeights,
}: CrossentropyOptions & {epsilon?: number}): RowLoss {
  const crossentropy = categoricalOracle({fromLogits, ...(classWeights && {classWeights})});
  return (truth, predicted) => {
    const sumOfAll = total(predicted);
    const p = fromLogits ? softmaxOracle(predicted) : predicted.map((value) => value / sumOfAll);
    const weight = (c: number) => (classWeights ? at(classWeights, c) : 1);
    return crossentropy(truth, predicted) + epsilon * total(truth.map((y, c) => weight(c) * y * (1 - at(p, c))));
  };
}

/** `mean_d f(p_d − y_d)`. */
const meanOfErrors =
  (f: (error: number) => number): RowLoss =>
  (truth, predicted) =>
    mean(truth.map((y, d) => f(at(predicted, d) - y)));

/** `mean_d |e|`. */
export const meanAbsoluteOracle: RowLoss = meanOfErrors(Math.abs);

/** `mean_d ½ e²` up to δ, `δ (|e| − ½ δ)` over it. */
export const huberOracle = (delta: number): RowLoss =>
  meanOfErrors((e) => (Math.abs(e) <= delta ? e ** 2 / 2 : delta * (Math.abs(e) - delta / 2)));

/** `mean_d ½ e² / β` up to β, `|e| − ½ β` over it. */
export const smoothL1Oracle = (beta: number): RowLoss =>
  meanOfErrors((e) => (Math.abs(e) <= beta ? e ** 2 / 2 / beta : Math.abs(e) - beta / 2));

/** `mean_d log cosh e`. */
export const logCoshOracle: RowLoss = meanOfErrors((e) => Math.log(Math.cosh(e)));

/** `mean_d max(0, 1 − y_d · s_d)^power`, with 0 for −1. */
export const hingeOracle =
  (power: number): RowLoss =>
  (truth, predicted) =>
    mean(truth.map((y, d) => Math.max(0, 1 - (y === 0 ? -1 : y) * at(predicted, d)) ** power));

/** `max(0, 1 + max_c (1 − y_c) · s_c − Σ_c y_c · s_c)`. */
export const categoricalHingeOracle: RowLoss = (truth, predicted) => {
  const rivals = truth.map((y, c) => (1 - y) * at(predicted, c));
  return Math.max(0, 1 + Math.max(...rivals) - total(truth.map((y, c) => y * at(predicted, c))));
};

/** `1/C · Σ_c (1 − y_c) · max(0, s_c − Σ y · s + margin)`. */
export const multiMarginOracle =
  (margin: number): RowLoss =>
  (truth, predicted) => {
    const ofTruth = total(truth.map((y, c) => y * at(predicted, c)));
    return mean(truth.map((y, c) => (1 - y) * Math.max(0, at(predicted, c) - ofTruth + margin)));
  };

/** `Σ_c y_c · log(y_c / p_c)`. */
export const divergenceOracle: RowLoss = (truth, predicted) =>
  total(truth.map((y, c) => (y === 0 ? 0 : y * Math.log(y / at(predicted, c)))));

/** `mean_d p_d − y_d · log p_d`. */
export const poissonOracle: RowLoss = (truth, predicted) =>
  mean(truth.map((y, d) => at(predicted, d) - y * Math.log(at(predicted, d))));

/** `−y · p / (‖y‖ ‖p‖)`; 0 where one of them is 0. */
export const cosineOracle: RowLoss = (truth, predicted) => {
  const length = Math.hypot(...truth) * Math.hypot(...predicted);
  return length === 0 ? 0 : -total(truth.map((y, d) => y * at(predicted, d))) / length;
};

/** The losses of all rows, whose values lie one after the other. */
export function lossesByRow(
  loss: RowLoss,
  truth: readonly number[],
  predicted: readonly number[],
  width: number,
): number[] {
  const predictions = rowsOf(predicted, width);
  return rowsOf(truth, width).map((row, r) => loss(row, at(predictions, r)));
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

/**
 * With h = 1e-5 · (|x| + 1e-3) both the truncation, ~h²/x², and the rounding, ~1e-16/h, stay below
 * 1e-6.
 */
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
