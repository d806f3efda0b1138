import {
  argMax,
  cast,
  where as chooseEach,
  equal,
  fill,
  greater,
  less,
  minimum,
  ones,
  reshape,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
} from '@tensorflow/tfjs-core';
import type {ClassWeight} from '@tensorflow/tfjs-layers';
import {checkValues, checkWeights, mayReadValues, rangeError, typeError} from '../checks';
import {byOutput} from '../models/modelTensors';
import {takeRows} from '../rows';

/** Class weights as tfjs takes them: `{0: 1, 1: 5}` for a model with one output, else a list or a record by output. */
export type ClassWeights = ClassWeight | (ClassWeight | null)[] | Record<string, ClassWeight>;

/** What the classes of an output are known by; a function has outputs of no known shape. */
export interface ClassedOutput {
  /** Whether the loss is of labels 0 and 1. */
  isBinary: boolean;
  /** Whether its loss compares rows, so that the width is no number of classes. */
  isEmbedding?: boolean;
  shape?: readonly (number | null)[] | undefined;
}

/**
 * Finds the weight of each row's class, `float32[B]` for each output; classes that are not named
 * count 1.
 */
export function classWeightRows(
  where: string,
  names: readonly string[] | undefined,
  given: ClassWeights,
  ys: Tensor[],
  outputs: readonly ClassedOutput[],
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
  return ys.map((yTrue, output) => rowsOf(where, weights[output] ?? {}, yTrue, outputs[output] as ClassedOutput));
}

function rowsOf(where: string, classWeight: ClassWeight, yTrue: Tensor, output: ClassedOutput): Tensor1D {
  const named = Object.keys(classWeight).map(Number);
  if (named.length === 0) return ones([yTrue.shape[0] as number]);
  checkNames(where, Object.keys(classWeight), yTrue, output);
  checkWeights(where, 'classWeight', Object.values(classWeight));
  const {labels, hasOne} = labelsOf(where, yTrue, output.isBinary);
  const weights =
    classesOf(yTrue, output) === undefined ? weightByName(labels, classWeight) : weightByPlace(labels, classWeight);
  return hasOne ? (chooseEach(hasOne, weights, fill(weights.shape, Number.NaN)) as Tensor1D) : weights;
}

/** Class numbers from here on are no float32. */
const MOST_CLASSES = 2 ** 24;

/** Checks that the weights are for classes that there are. */
function checkNames(where: string, names: string[], yTrue: Tensor, output: ClassedOutput): void {
  const isClass = (name: string) => Number.isInteger(Number(name)) && Number(name) >= 0;
  if (!names.every(isClass)) throw rangeError(where, 'classWeight', 'have classes 0, 1, 2, … as keys', names);
  const classes = classesOf(yTrue, output) ?? MOST_CLASSES;
  const unknown = names.find((name) => Number(name) >= classes);
  if (unknown === undefined) return;
  throw rangeError(where, 'classWeight', `have classes from 0 to ${classes - 1} as keys`, unknown);
}

/** How many classes an output tells apart; undefined if that shows nowhere, as for one number a row. */
function classesOf(yTrue: Tensor, {isBinary, isEmbedding, shape}: ClassedOutput): number | undefined {
  const columns = yTrue.size / (yTrue.shape[0] as number);
  if (isBinary && columns === 1) return 2;
  const classes = Math.max((isEmbedding ? 1 : shape?.at(-1)) ?? 1, columns);
  return classes > 1 ? classes : undefined;
}

/** The class of each row, `int32[B]`, and which rows have one, `bool[B]`; undefined if all do. */
interface Labels {
  labels: Tensor1D;
  hasOne?: Tensor1D;
}

function labelsOf(where: string, yTrue: Tensor, isBinary: boolean): Labels {
  const batchSize = yTrue.shape[0] as number;
  if (yTrue.size === batchSize) {
    const values = reshape(yTrue, [batchSize]);
    return {labels: cast(isBinary ? greater(values, 0.5) : values, 'int32') as Tensor1D};
  }
  if (yTrue.rank === 2) return {labels: argMax(yTrue, 1) as Tensor1D, ...rowsOfOneClass(where, yTrue, isBinary)};
  const remedy = 'For further axes pass the weights to the loss: {classWeights: […]}.';
  throw typeError(where, 'classWeight', 'go with ys of shape [B, 1] or [B, C]', yTrue.shape, remedy);
}

/**
 * Checks that no row has several labels, and that each row of yes-or-no labels has one. If values
 * may not be read, says which have.
 */
function rowsOfOneClass(where: string, yTrue: Tensor, isBinary: boolean): Pick<Labels, 'hasOne'> {
  const counts = sum<Tensor1D>(cast(equal(yTrue, 1), 'int32'), 1);
  if (!mayReadValues()) return {hasOne: isBinary ? equal<Tensor1D>(counts, 1) : less<Tensor1D>(counts, 2)};
  const remedy =
    'Weigh such rows by sampleWeight, or mine their labels one by one, ' +
    "with binaryCrossentropy() and {granularity: 'element'}.";
  const isOne = (count: number) => count === 1 || (count === 0 && !isBinary);
  checkValues(where, 'classWeight', 'go with rows of one class', counts, isOne, remedy);
  return {};
}

/** By a table with one more cell than there are names, for every class that has none. */
function weightByPlace(labels: Tensor1D, classWeight: ClassWeight): Tensor1D {
  const cells = Math.max(...Object.keys(classWeight).map(Number)) + 2;
  const table = Array.from({length: cells}, (_, label) => classWeight[label] ?? 1);
  const unnamed = cells - 1;
  const known = chooseEach(less(labels, 0), unnamed, minimum(labels, unnamed));
  return takeRows(tensor1d(table), cast(known, 'int32') as Tensor1D);
}

/** By comparing, as numbers of classes may be large. */
function weightByName(labels: Tensor1D, classWeight: ClassWeight): Tensor1D {
  const plain = ones([labels.size]);
  return Object.entries(classWeight).reduce<Tensor>(
    (weights, [name, weight]) => chooseEach(equal(labels, Number(name)), fill([labels.size], weight), weights),
    plain,
  ) as Tensor1D;
}
