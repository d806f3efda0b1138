import {
  isFinite as isFiniteTensor,
  logicalAnd,
  matMul,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  tidy,
  zeros,
} from '@tensorflow/tfjs-core';
import {livesInMainMemory} from '../checks';
import {columnSums} from '../gradients/columnSums';

/** Up to so many numbers, looking at each takes less time than a kernel. */
const FEW = 4096;

/**
 * Marks the rows whose numbers are all finite, `bool[B]`; undefined if all rows are known to be.
 *
 * On cpu and wasm the numbers are looked at. On a GPU nothing is read, so that rows are marked whenever a number could be anything else.
 */
export function finiteRows(tensors: readonly Tensor[], batchSize: number): Tensor1D | undefined {
  const floats = tensors.filter(({dtype}) => dtype === 'float32');
  if (livesInMainMemory()) return seenRows(floats, batchSize);
  const marks = floats.map((tensor) => markedRows(tensor, batchSize));
  return marks.length === 0 ? undefined : marks.reduce((both, next) => logicalAnd(both, next));
}

function seenRows(tensors: readonly Tensor[], batchSize: number): Tensor1D | undefined {
  let marks: Uint8Array | undefined;
  for (const tensor of tensors) {
    if (tensor.size > FEW && hasFiniteSum(tensor)) continue;
    const values = tensor.dataSync();
    const perRow = values.length / batchSize;
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) continue;
      marks ??= new Uint8Array(batchSize).fill(1);
      marks[Math.floor(i / perRow)] = 0;
    }
  }
  return marks && tensor1d(marks, 'bool');
}

/** One sum tells, since neither NaN nor ∞ ever adds up to a number. */
function hasFiniteSum(tensor: Tensor): boolean {
  return tidy(() => Number.isFinite(sum(tensor.rank > 1 ? columnSums(tensor) : tensor).dataSync()[0]));
}

function markedRows(tensor: Tensor, batchSize: number): Tensor1D {
  const perRow = tensor.size / batchSize;
  // x · 0 is 0, or NaN if x is not finite, and so is a sum of such products: one with a column of zeros.
  const sums = matMul(reshape(tensor, [batchSize, perRow]), zeros([perRow, 1]));
  return isFiniteTensor(reshape(sums, [batchSize]));
}
