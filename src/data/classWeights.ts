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

/** Class weights as in tfjs: `{0: 1, 1: 5}` for one output, else a list or a record by output. */
export type ClassWeights = ClassWeight | (ClassWeight | null)[] | Record<string, ClassWeight>;

/** Properties of an output that determine its classes; a function's outputs have no known shape. */
export interface ClassedOutput {
  /** Whether the loss expects labels 0 and 1. */
  isBinary: boolean;
  /** Whether the loss compares rows, so that the width is not a number of classes. */
  isEmbedding?: boolean;
  shape?: readonly (number | null)[] | undefined;
}

/**
 * Looks up the weight of each row's class, `float32[B]` for each output; unnamed classes weigh 1.
 */
export function classWeightRows(
  where: string,
  names: readonly string[] | undefined,
  given: ClassWeights,
  ys: Tensor[],
  outputs: readonly ClassedOutput[],
): Tensor1D[] {
  if (!names) {
    const remedy = 'Pass sampleWeight, or weight the classes in the loss.';
    throw typeError(where, 'classWeight', 'be left out with a joint loss', given, remedy);
  }
  checkForm(where, given);
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

/** Refuses numbers in a list, and weights that are no numbers. */
function checkForm(where: string, given: ClassWeights): void {
  const remedy = 'Pass the weight of each class: {0: 1, 1: 5}.';
  if (Array.isArray(given) && given.some((item) => typeof item === 'number')) {
    throw typeError(where, 'classWeight', 'be a record', given, remedy);
  }
  const text = Object.entries(given).find(([, weight]) => typeof weight === 'string');
  if (text) throw typeError(where, 'classWeight', 'hold numbers', `'${text[1]}' for ${text[0]}`, remedy);
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

/** Bound of class numbers: float32 is not exact for all larger integers. */
const MOST_CLASSES = 2 ** 24;

/** Checks that all weighted classes exist. */
function checkNames(where: string, names: string[], yTrue: Tensor, output: ClassedOutput): void {
  const isClass = (name: string) => Number.isInteger(Number(name)) && Number(name) >= 0;
  if (!names.every(isClass)) throw rangeError(where, 'classWeight', 'have classes 0, 1, 2, … as keys', names);
  const classes = classesOf(yTrue, output) ?? MOST_CLASSES;
  const unknown = names.find((name) => Number(name) >= classes);
  if (unknown === undefined) return;
  throw rangeError(where, 'classWeight', `have classes from 0 to ${classes - 1} as keys`, unknown);
}

/** The number of classes of an output; undefined if unknown, as for one number per row. */
function classesOf(yTrue: Tensor, {isBinary, isEmbedding, shape}: ClassedOutput): number | undefined {
  const columns = yTrue.size / (yTrue.shape[0] as number);
  if (isBinary && columns === 1) return 2;
  const classes = Math.max((isEmbedding ? 1 : shape?.at(-1)) ?? 1, columns);
  return classes > 1 ? classes : undefined;
}

/** The class of each row, `int32[B]`, and a mask of the rows with one class, undefined for all. */
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
 * Checks that no row has several labels, and that each row of binary labels has one. If values may
 * not be read, returns a mask of such rows instead.
 */
function rowsOfOneClass(where: string, yTrue: Tensor, isBinary: boolean): Pick<Labels, 'hasOne'> {
  const counts = sum<Tensor1D>(cast(equal(yTrue, 1), 'int32'), 1);
  if (!mayReadValues()) return {hasOne: isBinary ? equal<Tensor1D>(counts, 1) : less<Tensor1D>(counts, 2)};
  const remedy =
    'Weight such rows by sampleWeight, or mine their labels one by one, ' +
    "with binaryCrossentropy() and {granularity: 'element'}.";
  const isOne = (count: number) => count === 1 || (count === 0 && !isBinary);
  checkValues(where, 'classWeight', 'go with rows of one class', counts, isOne, remedy);
  return {};
}

/** Looks weights up in a table with one additional cell for all unnamed classes. */
function weightByPlace(labels: Tensor1D, classWeight: ClassWeight): Tensor1D {
  const cells = Math.max(...Object.keys(classWeight).map(Number)) + 2;
  const table = Array.from({length: cells}, (_, label) => classWeight[label] ?? 1);
  const unnamed = cells - 1;
  const known = chooseEach(less(labels, 0), unnamed, minimum(labels, unnamed));
  return takeRows(tensor1d(table), cast(known, 'int32') as Tensor1D);
}

/** Compares labels with each name, because class numbers may be large. */
function weightByName(labels: Tensor1D, classWeight: ClassWeight): Tensor1D {
  const plain = ones([labels.size]);
  return Object.entries(classWeight).reduce<Tensor>(
    (weights, [name, weight]) => chooseEach(equal(labels, Number(name)), fill([labels.size], weight), weights),
    plain,
  ) as Tensor1D;
}
