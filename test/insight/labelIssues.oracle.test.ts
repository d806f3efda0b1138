/** @file Confident learning against the code of cleanlab. */
import {type LabelIssuesOptions, labelIssues} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import oracle from '../fixtures/cleanlab.json';
import {expectClose} from '../support/close';

interface Case {
  name: string;
  params: {n: number; classes: number; frac_noise: number; min_examples_per_class: number};
  labels: number[];
  probabilities: number[];
  thresholds: number[];
  confident_joint_uncalibrated: number[];
  self_confidence: number[];
  normalized_margin: number[];
  issues_confident_learning: number[];
  issues_confident_learning_by_self_confidence_in_order: number[];
  issues_confident_learning_by_normalized_margin_in_order: number[];
  issues_prune_by_noise_rate: number[];
  issues_prune_by_noise_rate_by_self_confidence_in_order: number[];
  issues_prune_by_noise_rate_by_normalized_margin_in_order: number[];
  issues_prune_by_class: number[];
  issues_both: number[];
  issues_predicted_neq_given: number[];
}

const CASES = oracle.cases as unknown as Case[];
const TRAP = 'k3_n30_class_never_guessed_seed100';

const dataOf = ({labels, probabilities, params: {n, classes}}: Case) => ({
  labels,
  probabilities: Array.from({length: n}, (_, row) => probabilities.slice(row * classes, (row + 1) * classes)),
});

const found = (of: Case, by: LabelIssuesOptions['by'], rank?: LabelIssuesOptions['rank']) => {
  const {frac_noise: share, min_examples_per_class: minPerClass} = of.params;
  const isPruned = by === 'pruneByNoiseRate' || by === 'pruneByClass' || by === 'both';
  return labelIssues({...dataOf(of), ...(by && {by}), ...(rank && {rank}), ...(isPruned && {share, minPerClass})});
};
const sorted = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b);

describe('labelIssues', () => {
  it.each(CASES.filter(({name}) => name !== TRAP))('finds the issues of cleanlab: $name', (of) => {
    const {scores, thresholds, joint, rows} = found(of, 'confidentLearning');
    // The peer has 2 for a class without rows, and at least 1 on the diagonal of its joint.
    const {classes} = of.params;
    const known = [...Array(classes).keys()].filter((label) => of.labels.includes(label));
    const ofKnown = (values: ArrayLike<number>) => known.map((label) => values[label] as number);
    expectClose(ofKnown(thresholds), ofKnown(of.thresholds), {absolute: 1e-9, relative: 1e-9});
    expect(ofKnown([...thresholds].map(Number.isNaN).map(Number))).toEqual(known.map(() => 0));
    const atLeastOne = joint.flatMap((counts, label) => counts.map((n, j) => (j === label ? Math.max(n, 1) : n)));
    expect(atLeastOne).toEqual(of.confident_joint_uncalibrated);
    expectClose(scores, of.self_confidence, {absolute: 1e-12, relative: 0});
    expect([...rows]).toEqual(of.issues_confident_learning_by_self_confidence_in_order);
    expect([...found(of, 'pruneByNoiseRate').rows]).toEqual(of.issues_prune_by_noise_rate_by_self_confidence_in_order);
    expect(sorted(found(of, 'pruneByClass').rows)).toEqual(of.issues_prune_by_class);
    expect(sorted(found(of, 'both').rows)).toEqual(of.issues_both);
    expect(sorted(found(of, 'disagreement').rows)).toEqual(of.issues_predicted_neq_given);
  });

  it.each(CASES.filter(({name}) => name !== TRAP))('ranks by the margin as cleanlab does: $name', (of) => {
    const {rows, scores} = found(of, 'confidentLearning', 'normalizedMargin');
    expectClose(scores, of.normalized_margin, {absolute: 1e-12, relative: 0});
    expect([...rows]).toEqual(of.issues_confident_learning_by_normalized_margin_in_order);
    const pruned = found(of, 'pruneByNoiseRate', 'normalizedMargin');
    expect([...pruned.rows]).toEqual(of.issues_prune_by_noise_rate_by_normalized_margin_in_order);
  });

  it('refuses a class that the model has not learned, of which cleanlab calls every row an issue but one', () => {
    const of = CASES.find(({name}) => name === TRAP) as Case;
    expect(of.issues_confident_learning.filter((row) => of.labels[row] === 0).length).toBe(15);
    expect(() => found(of, 'confidentLearning')).toThrow(
      new RangeError(
        'labelIssues: probabilities must confidently assign some row of each class to it, got none of class 0. ' +
          'The model has not learned the class: train longer, or leave out its rows.',
      ),
    );
  });
});
