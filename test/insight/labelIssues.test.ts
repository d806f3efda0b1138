import {memory, Tensor, tensor2d} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {type LabelIssuesOptions, labelIssues} from 'ohem-tfjs';
import {describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {RUNS} from '../support/property';

const LABELS = [0, 0, 0, 1, 1, 1];
const PROBABILITIES = [
  [0.9, 0.1],
  [0.8, 0.2],
  [0.1, 0.9],
  [0.2, 0.8],
  [0.3, 0.7],
  [0.1, 0.9],
];

/** Confident learning by its definition, row by row. */
function bruteForce(labels: number[], probabilities: number[][]): number[] {
  const classes = (probabilities[0] as number[]).length;
  const threshold = (j: number) => {
    const own = probabilities.filter((_, row) => labels[row] === j).map((p) => p[j] as number);
    return own.length === 0 ? Number.POSITIVE_INFINITY : own.reduce((sum, p) => sum + p, 0) / own.length;
  };
  const thresholds = Array.from({length: classes}, (_, j) => threshold(j));
  return labels.flatMap((label, row) => {
    const p = probabilities[row] as number[];
    const confident = p.flatMap((value, j) => (value >= (thresholds[j] as number) - 1e-6 ? [j] : []));
    const guess = confident.sort((a, b) => (p[b] as number) - (p[a] as number) || a - b)[0];
    const isTop = p.every((value, j) => j === label || value < (p[label] as number) + 1e-6);
    return guess === undefined || guess === label || isTop ? [] : [row];
  });
}

const row = fc.record({
  label: fc.nat(2),
  scores: fc.array(fc.double({min: 0.01, max: 1, noNaN: true}), {minLength: 3, maxLength: 3}),
});

describe('labelIssues', () => {
  it('finds what its definition says, for random probabilities', () => {
    let compared = 0;
    fc.assert(
      fc.property(fc.array(row, {minLength: 6, maxLength: 40}), (rows) => {
        const labels = rows.map(({label}) => label);
        const probabilities = rows.map(({scores}) => {
          const total = scores.reduce((sum, score) => sum + score, 0);
          return scores.map((score) => score / total);
        });
        const found = () => [...labelIssues({labels, probabilities}).rows].sort((a, b) => a - b);
        try {
          expect(found()).toEqual(bruteForce(labels, probabilities));
          compared++;
        } catch (error) {
          // A class that no row is confidently of is refused.
          if (!(error instanceof RangeError)) throw error;
        }
      }),
      RUNS,
    );
    expect(compared).toBeGreaterThan(RUNS.numRuns / 3);
  });

  it('judges labels that do not exclude one another one by one', () => {
    const other = [0, 1, 0, 1, 0, 1];
    const labels = LABELS.map((label, at) => [label, other[at] as number]);
    const probabilities = PROBABILITIES.map((p, at) => [p[1] as number, other[at] === 1 ? 0.8 : 0.1]);
    const [first, second] = labelIssues({labels, probabilities});
    expect([[...(first?.rows ?? [])], [...(first?.suggested ?? [])], first?.joint]).toEqual([
      [2],
      [1],
      labelIssues({labels: LABELS, probabilities: PROBABILITIES}).joint,
    ]);
    expect(second?.rows).toEqual(new Int32Array());
  });

  it('refuses what does not fit, by name', () => {
    const refusals: [object, ErrorConstructor, string][] = [
      [
        {probabilities: PROBABILITIES.slice(1)},
        TypeError,
        'probabilities must have 6 rows, one for each label, got 5.',
      ],
      [{probabilities: LABELS.map(() => [1])}, RangeError, 'probabilities must have at least 2 classes, got 1.'],
      [
        {probabilities: [[1]].concat(PROBABILITIES.slice(1))},
        TypeError,
        'probabilities must have 1 entries in each row, got 2 in row 1.',
      ],
      [
        {probabilities: PROBABILITIES.map(([p]) => [p, p])},
        RangeError,
        'probabilities must sum to 1 in each row, got 1.8 in row 0.',
      ],
      [
        {probabilities: PROBABILITIES.map(() => [2, -1])},
        RangeError,
        'probabilities must be from 0 to 1, got 2 in row 0.',
      ],
      [{probabilities: PROBABILITIES.map(() => [Number.NaN, 1])}, RangeError, 'must be from 0 to 1, got NaN in row 0.'],
      [{labels: [0, 0, 0, 1, 1, 2]}, RangeError, 'labels must hold integers from 0 to 1, got 2 at position 5.'],
      [{labels: []}, TypeError, 'labels must be a list of labels'],
      [
        {labels: LABELS.map((label) => [label, 2])},
        RangeError,
        'labels must be 0 or 1 for each of 2 labels, got 2 in row 0.',
      ],
      [{by: 'confident'}, RangeError, 'by must be one of confidentLearning, pruneByNoiseRate'],
      [{rank: 'margin'}, RangeError, "rank must be one of selfConfidence, normalizedMargin, got 'margin'."],
      [{share: 0.5}, TypeError, "share must be left out with by: 'confidentLearning', got 0.5."],
      [{by: 'both', share: 2}, RangeError, 'share must be in [0, 1], got 2.'],
      [
        {probabilities: LABELS.map(() => [0.1, 0.9])},
        RangeError,
        'probabilities must confidently assign some row of each class to it, got none of class 0.',
      ],
    ];
    for (const [changed, kind, message] of refusals) {
      const call = () =>
        labelIssues({labels: LABELS, probabilities: PROBABILITIES, ...changed} as LabelIssuesOptions as never);
      expect(call).toThrow(kind);
      expect(call).toThrow(`labelIssues: `);
      expect(call).toThrow(message);
    }
  });
});

describeOnBackends('labelIssues of a tensor', () => {
  it('reads it once, and leaves it as it is', async () => {
    const probabilities = tensor2d(PROBABILITIES);
    const [tensors, read] = [memory().numTensors, vi.spyOn(Tensor.prototype, 'data')];
    const {rows} = await labelIssues({labels: LABELS, probabilities});
    expect([[...rows], read.mock.calls.length, memory().numTensors]).toEqual([[2], 1, tensors]);
    vi.restoreAllMocks();
    await expect(labelIssues({labels: [0, 1], probabilities})).rejects.toThrow(TypeError);
  });
});
