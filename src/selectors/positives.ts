import {equal, logicalAnd, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkGiven, checkRows, checkValues} from '../checks';
import {byGroup, type Groups} from './groups';
import type {Batch} from './selector';

/** Groups with masks of their usable positives and negatives, `bool[B]` in the order of the groups. */
export interface PositivesAndNegatives extends Groups {
  positives: Tensor1D;
  negatives: Tensor1D;
}

/** Ranks rows as {@link byGroup} does, and splits them by `context.positive`, 1 or 0. */
export function positivesByGroup(where: string, batch: Batch): PositivesAndNegatives {
  const groups = byGroup(where, batch);
  const {positive} = batch.context as {positive: Tensor1D};
  checkGiven(where, 'positive', positive, '1 = a positive example, 0 = a negative one');
  checkRows(where, 'positive', positive, batch.losses.size);
  const isMark = (mark: number) => mark === 0 || mark === 1;
  checkValues(where, 'positive', 'hold 0 or 1', positive, isMark, 'From class labels: tf.greater(labels, 0).');
  const usable = (mask: Tensor1D): Tensor1D => logicalAnd(groups.usable, groups.inOrder(mask));
  return {...groups, positives: usable(equal(positive, 1)), negatives: usable(equal(positive, 0))};
}
