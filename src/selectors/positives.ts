import {equal, logicalAnd, type Tensor1D} from '@tensorflow/tfjs-core';
import {checkGiven, checkRows, checkValues} from '../checks';
import type {SelectionContext} from '../types';
import {byGroup, type Groups} from './groups';

/** Groups whose usable rows are told apart: `bool[B]` each, in the order of the groups. */
export interface PositivesAndNegatives extends Groups {
  positives: Tensor1D;
  negatives: Tensor1D;
}

/** Ranks rows within their groups, as {@link byGroup} does, and marks the positives of `context.positive`; what is neither 1 nor 0 is neither. */
export function positivesByGroup(where: string, losses: Tensor1D, context: SelectionContext): PositivesAndNegatives {
  const groups = byGroup(where, losses, context);
  checkGiven(where, 'positive', context.positive, '1 = a positive example, 0 = a negative one');
  const positive = context.positive as Tensor1D;
  checkRows(where, 'positive', positive, losses.size);
  const isMark = (mark: number) => mark === 0 || mark === 1;
  checkValues(where, 'positive', 'hold 0 or 1', positive, isMark, 'From class labels: tf.greater(labels, 0).');
  const usable = (marks: Tensor1D): Tensor1D => logicalAnd(groups.usable, groups.inOrder(marks));
  return {...groups, positives: usable(equal(positive, 1)), negatives: usable(equal(positive, 0))};
}
