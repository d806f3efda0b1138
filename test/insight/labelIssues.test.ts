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

/** The class that each row confidently belongs to, by the definition; undefined for none. */
function guessesInJs(labels: number[], probabilities: number[][]): (number | undefined)[] {
  const classes = (probabilities[0] as number[]).length;
  const threshold = (j: number) => {
    const own = probabilities.filter((_, row) => labels[row] === j).map((p) => p[j] as number);
    return own.length === 0 ? Number.POSITIVE_INFINITY : own.reduce((sum, p) => sum + p, 0) / own.length;
  };
  const thresholds = Array.from({length: classes}, (_, j) => threshold(j));
  return probabilities.map((p) => {
    const confident = p.flatMap((value, j) => (value >= (thresholds[j] as number) - 1e-6 ? [j] : []));
    return confident.length > 1 ? p.indexOf(Math.max(...p)) : confident[0];
  });
}

const isTop = (p: number[], label: number) => p.every((value, j) => j === label || value < (p[label] as number) + 1e-6);

/** Confident learning by its definition, row by row. */
function bruteForce(labels: number[], probabilities: number[][]): number[] {
  const guesses = guessesInJs(labels, probabilities);
  return labels.flatMap((label, row) => {
    const guess = guesses[row];
    return guess === undefined || guess === label || isTop(probabilities[row] as number[], label) ? [] : [row];
  });
}

/** Rounds shares of a total to whole numbers; those rounded most make up for what is missing. */
function apportioned(shares: number[], total: number): number[] {
  const even = (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  const whole = shares.map(even);
  let missing = total - whole.reduce((sum, x) => sum + x, 0);
  while (missing !== 0) {
    const sign = Math.sign(missing);
    const lost = shares.map((share, j) => sign * (share - (whole[j] as number)));
    const place = lost.indexOf(Math.max(...lost));
    whole[place] = (whole[place] as number) + sign;
    missing -= sign;
  }
  return whole;
}

/** How many rows of a label likely belong to each class: the joint, scaled, then a share of it. */
function likelyInJs(counts: number[], label: number, rows: number, share: number, minPerClass: number): number[] {
  const atLeastOne = counts.map((count, j) => (j === label ? Math.max(count, 1) : count));
  const total = atLeastOne.reduce((sum, count) => sum + count, 0);
  const scaled = apportioned(
    atLeastOne.map((count) => (count / total) * rows),
    rows,
  );
  const raised = Math.max(0, minPerClass - (scaled[label] as number));
  const others = Math.max(1, scaled.filter((count) => count > 0).length - 1);
  const wrong = scaled.map((count, j) => (j === label ? 0 : Math.max(0, count - raised / others)));
  const kept = (scaled[label] as number) + raised + (1 - share) * wrong.reduce((sum, count) => sum + count, 0);
  return wrong.map((count, j) => Math.floor(j === label ? kept : share * count));
}

type Pruning = 'pruneByClass' | 'pruneByNoiseRate' | 'both';

/** The pruning rules by their definition, label by label, in the order of the rows. */
function prunedInJs(labels: number[], probabilities: number[][], by: Pruning, share = 1, minPerClass = 1): number[] {
  const guesses = guessesInJs(labels, probabilities);
  const [byClass, byRate] = [new Set<number>(), new Set<number>()];
  for (let label = 0; label < (probabilities[0] as number[]).length; label++) {
    const rows = [...labels.keys()].filter((row) => labels[row] === label);
    if (rows.length <= Math.max(minPerClass, 1)) continue;
    const p = (row: number, j: number) => (probabilities[row] as number[])[j] as number;
    const counts = (probabilities[0] as number[]).map((_, j) => rows.filter((row) => guesses[row] === j).length);
    const likely = likelyInJs(counts, label, rows.length, share, minPerClass);
    // Taken one by one, the least probable first; of equal ones the lower row.
    const open = [...rows];
    for (let n = rows.length - (likely[label] as number); n > 0; n--) {
      const worst = open.reduce((least, row) => (p(row, label) < p(least, label) ? row : least));
      byClass.add(worst);
      open.splice(open.indexOf(worst), 1);
    }
    for (const [j, count] of likely.entries()) {
      if (j === label || count === 0) continue;
      // Fewer than `count` rows lean more: so rows that lean as much as the last are all in.
      const lead = (row: number) => p(row, j) - p(row, label);
      for (const row of rows) if (rows.filter((other) => lead(other) > lead(row)).length < count) byRate.add(row);
    }
  }
  const isIn = {
    pruneByClass: (row: number) => byClass.has(row),
    pruneByNoiseRate: (row: number) => byRate.has(row),
    both: (row: number) => byClass.has(row) && byRate.has(row),
  }[by];
  return [...labels.keys()].filter((row) => isIn(row) && !isTop(probabilities[row] as number[], labels[row] as number));
}

const ascending = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b);

/** Runs a comparison; false where a class that no row is confidently of is refused. */
function unlessRefused(compare: () => void): boolean {
  try {
    compare();
    return true;
  } catch (error) {
    if (error instanceof RangeError && /confidently assign/.test(error.message)) return false;
    throw error;
  }
}

const row = fc.record({
  label: fc.nat(2),
  scores: fc.array(fc.double({min: 0.01, max: 1, noNaN: true}), {minLength: 3, maxLength: 3}),
});

/** Probabilities in sixteenths, of which many are equal, without rounding. */
const tiedRow = fc.record({label: fc.nat(2), parts: fc.tuple(fc.nat(16), fc.nat(16))});
const probabilitiesOf = ([a, b]: [number, number]) => {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  return [low / 16, (high - low) / 16, (16 - high) / 16];
};

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
        const found = () => ascending(labelIssues({labels, probabilities}).rows);
        compared += +unlessRefused(() => expect(found()).toEqual(bruteForce(labels, probabilities)));
      }),
      RUNS,
    );
    expect(compared).toBeGreaterThan(RUNS.numRuns / 3);
  });

  it('counts a row that reaches several thresholds for its most probable class, as cleanlab does', () => {
    const labels = [0, 0, 1, 1, 2, 2];
    const probabilities = [
      [0.9, 0.05, 0.05],
      [0.8, 0.1, 0.1],
      // The thresholds are 0.85, 0.3 and 0.2: this row reaches those of 1 and 2.
      [0.5, 0.3, 0.2],
      [0.7, 0.3, 0],
      [0.7, 0.1, 0.2],
      [0.8, 0, 0.2],
    ];
    const {joint, rows, suggested} = labelIssues({labels, probabilities});
    expect(joint).toEqual([
      [1, 0, 0],
      [1, 1, 0],
      [0, 0, 2],
    ]);
    expect([[...rows], [...suggested]]).toEqual([[2], [0]]);
  });

  it.each(['pruneByClass', 'pruneByNoiseRate', 'both'] as const)(
    'prunes the rows that its definition says, ties and all: %s',
    (by) => {
      let [compared, found] = [0, 0];
      const property = fc.property(
        fc.array(tiedRow, {minLength: 6, maxLength: 40}),
        fc.constantFrom(1, 1, 0.5, 0.25, 0),
        fc.constantFrom(1, 1, 0, 2, 5),
        (rows, share, minPerClass) => {
          const labels = rows.map(({label}) => label);
          const probabilities = rows.map(({parts}) => probabilitiesOf(parts));
          compared += +unlessRefused(() => {
            const issues = labelIssues({labels, probabilities, by, share, minPerClass});
            const expected = prunedInJs(labels, probabilities, by, share, minPerClass);
            expect(ascending(issues.rows)).toEqual(expected);
            // Least confident first; of equal ones the lower row.
            const own = (row: number) => (probabilities[row] as number[])[labels[row] as number] as number;
            expect([...issues.rows]).toEqual([...expected].sort((a, b) => own(a) - own(b) || a - b));
            found += expected.length;
          });
        },
      );
      fc.assert(property, {...RUNS, numRuns: 300});
      expect(compared).toBeGreaterThan(100);
      expect(found).toBeGreaterThan(100);
    },
  );

  it('takes all rows with an equal margin by the noise rate, and the lower one by class', () => {
    const labels = [0, 0, 0, 0, 0, 1, 1, 1];
    const wrong = [0.1, 0.9];
    const probabilities = [[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], wrong, wrong, [0.2, 0.8], [0.2, 0.8], [0.1, 0.9]];
    const rowsBy = (by: Pruning) => ascending(labelIssues({labels, probabilities, by, share: 0.5}).rows);
    expect(rowsBy('pruneByNoiseRate')).toEqual([3, 4]);
    expect(rowsBy('pruneByClass')).toEqual([3]);
    expect(rowsBy('both')).toEqual([3]);
  });

  it.each(['confidentLearning', 'pruneByClass', 'pruneByNoiseRate', 'both'] as const)(
    'finds what its definition says of each of several labels as two classes: %s',
    (by) => {
      let [compared, found] = [0, 0];
      const marked = fc.record({
        marks: fc.array(fc.nat(1), {minLength: 3, maxLength: 3}),
        eighths: fc.array(fc.nat(8), {minLength: 3, maxLength: 3}),
      });
      const property = fc.property(fc.array(marked, {minLength: 6, maxLength: 30}), (rows) => {
        const labels = rows.map(({marks}) => marks);
        const probabilities = rows.map(({eighths}) => eighths.map((n) => n / 8));
        compared += +unlessRefused(() => {
          const issues = labelIssues({labels, probabilities, by});
          expect(issues).toHaveLength(3);
          for (const [label, {rows: ofIssues}] of issues.entries()) {
            const ofLabel = labels.map((marks) => marks[label] as number);
            const asTwo = probabilities.map((p) => [1 - (p[label] as number), p[label] as number]);
            const expected = by === 'confidentLearning' ? bruteForce(ofLabel, asTwo) : prunedInJs(ofLabel, asTwo, by);
            expect(ascending(ofIssues)).toEqual(expected);
            found += expected.length;
          }
        });
      });
      fc.assert(property, {...RUNS, numRuns: 300});
      expect(compared).toBeGreaterThan(100);
      expect(found).toBeGreaterThan(100);
    },
  );

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
