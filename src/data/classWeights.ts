import {
  argMax,
  cast,
  where as chooseEach,
  less,
  minimum,
  ones,
  reshape,
  type Tensor,
  type Tensor1D,
  tensor1d,
} from '@tensorflow/tfjs-core';
import type {ClassWeight} from '@tensorflow/tfjs-layers';
import {checkWeights, rangeError, typeError} from '../checks';
import {byOutput} from '../models/modelTensors';
import {takeRows} from '../rows';

/** Class weights as tfjs takes them: `{0: 1, 1: 5}` for a model with one output, else a list or a record by output. */
export type ClassWeights = ClassWeight | (ClassWeight | null)[] | Record<string, ClassWeight>;

/** Finds the weight of each row's class, `float32[B]` for each output; classes that are not named count 1. */
export function classWeightRows(
  where: string,
  names: readonly string[] | undefined,
  given: ClassWeights,
  ys: Tensor[],
): Tensor1D[] {
  if (!names) {
    const remedy = 'Pass sampleWeight, or weigh the classes in the loss.';
    throw typeError(where, 'classWeight', 'be left out with a joint loss', given, remedy);
  }
  const isSingle = !Array.isArray(given) && Object.values(given).every((value) => typeof value === 'number');
  const weights = isSingle
    ? [given as ClassWeight]
    : byOutput<ClassWeight | null>(where, 'classWeight', names, given as ClassWeight[]);
  if (weights.length !== ys.length) {
    const constraint = `be given by output (${names.join(', ')})`;
    throw typeError(where, 'classWeight', constraint, given);
  }
  return ys.map((yTrue, output) => rowsOf(where, weights[output] ?? {}, yTrue));
}

function rowsOf(where: string, classWeight: ClassWeight, yTrue: Tensor): Tensor1D {
  const batchSize = yTrue.shape[0] as number;
  const named = Object.keys(classWeight).map(Number);
  if (named.length === 0) return ones([batchSize]);
  if (!named.every((label) => Number.isInteger(label) && label >= 0)) {
    throw rangeError(where, 'classWeight', 'have classes 0, 1, 2, … as keys', Object.keys(classWeight));
  }
  checkWeights(where, 'classWeight', Object.values(classWeight));
  const labels = classesOf(where, yTrue);
  // One more cell than there are names, for every class that has none.
  const cells = Math.max(...named) + 2;
  const table = Array.from({length: cells}, (_, label) => classWeight[label] ?? 1);
  const unnamed = cells - 1;
  const known = chooseEach(less(labels, 0), unnamed, minimum(labels, unnamed));
  return takeRows(tensor1d(table), cast(known, 'int32') as Tensor1D);
}

function classesOf(where: string, yTrue: Tensor): Tensor1D {
  const batchSize = yTrue.shape[0] as number;
  if (yTrue.size === batchSize) return cast(reshape(yTrue, [batchSize]), 'int32');
  if (yTrue.rank === 2) return argMax(yTrue, 1);
  const remedy = 'For further axes pass the weights to the loss: {classWeights: […]}.';
  throw typeError(where, 'classWeight', 'go with ys of shape [B, 1] or [B, C]', yTrue.shape, remedy);
}
