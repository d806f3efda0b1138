import {
  cast,
  env,
  equal,
  expandDims,
  gather,
  getBackend,
  greater,
  less,
  logicalAnd,
  logicalOr,
  range,
  scatterND,
  slice,
  sum,
  type Tensor1D,
  tidy,
  topk,
} from '@tensorflow/tfjs-core';

export interface Descending {
  values: Tensor1D;
  indices: Tensor1D;
}

/** Rows that are compared each with each: 16 million comparisons, which a GPU makes in one go. */
const MOST_COMPARED = 4096;

/** Below these, and above those, the `topk` of webgl reads what it is to sort and sorts it on the host. */
const SORTED_ON_HOST = {TOPK_LAST_DIM_CPU_HANDOFF_SIZE_THRESHOLD: 0, TOPK_K_CPU_HANDOFF_THRESHOLD: 2 ** 31};

/**
 * The `count` largest of some scores and where they are, largest first; ties keep the lower index. No score may be NaN.
 *
 * All sorting goes through here. It is `tf.topk`, but on a GPU, where that takes dozens of passes or waits until the scores
 * have come to the host, rows are ranked by comparing each with each, if there are not too many.
 */
export function descending(scores: Tensor1D, count = scores.size): Descending {
  const backend = getBackend();
  const isOnGpu = backend === 'webgl' || backend === 'webgpu';
  if (isOnGpu && scores.size <= MOST_COMPARED) return byComparison(scores, count);
  const sorted = () => topk(scores, count, true) as Descending;
  return backend === 'webgl' ? withFlags(SORTED_ON_HOST, sorted) : sorted();
}

/**
 * Ranks every row by how many come before it, and puts it there.
 *
 *     rank i = #{j : s_j > s_i, or s_j = s_i and j < i}
 */
function byComparison(scores: Tensor1D, count: number): Descending {
  return tidy(() => {
    const rows = range(0, scores.size, 1, 'int32');
    const [column, row] = [expandDims(scores, 1), expandDims(scores, 0)];
    const isEarlier = less(expandDims(rows, 0), expandDims(rows, 1));
    const comesBefore = logicalOr(greater(row, column), logicalAnd(equal(row, column), isEarlier));
    const ranks = cast(sum(cast(comesBefore, 'float32'), 1), 'int32');
    const order = scatterND(expandDims(ranks, 1), rows, [scores.size]) as Tensor1D;
    const indices = slice(order, 0, count);
    return {values: gather(scores, indices), indices};
  });
}

/** Runs `f` with other flags of the environment. */
function withFlags<T>(flags: Record<string, number>, f: () => T): T {
  const before = Object.keys(flags).map((name) => [name, env().getNumber(name)] as const);
  try {
    for (const [name, value] of Object.entries(flags)) env().set(name, value);
    return f();
  } finally {
    for (const [name, value] of before) env().set(name, value);
  }
}
