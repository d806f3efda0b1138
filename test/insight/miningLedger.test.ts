import {memory, Tensor, tensor1d, tensor2d, train} from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {categoricalCrossentropy, type MiningLedger, miningLedger, ohemStep, topK} from 'ohem-tfjs';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {RUNS} from '../support/property';
import {tinyModel, tinyXs, tinyYs} from '../support/tinyModel';

const ALL_FIELDS = ['seen', 'mined', 'lastLoss', 'meanLoss'] as const;
const everything = (ledger: MiningLedger) =>
  ALL_FIELDS.map((field) => Array.from({length: ledger.size}, (_, row) => ledger[field](row)));

/** Four rows, three visits of the first: never mined, mined, a loss that is not finite. */
function example(): MiningLedger {
  const ledger = miningLedger(4);
  ledger.record([0, 1], [0.25, 2], [0, 0.5]);
  ledger.record(Int32Array.of(0, 1, 2), Float32Array.of(0.75, 4, 1), Uint8Array.of(1, 1, 0));
  ledger.record([2, 0], [0.5, Number.NaN], [0, 0]);
  return ledger;
}

describe('miningLedger', () => {
  it('counts how often a row was seen and mined, and keeps its last and its mean loss', () => {
    expect(everything(example())).toEqual([
      [3, 2, 2, 0],
      [1, 2, 0, 0],
      [Number.NaN, 4, 0.5, Number.NaN],
      [0.5, 3, 0.75, Number.NaN],
    ]);
  });

  it('has a mean only of finite losses', () => {
    const ledger = miningLedger(1);
    ledger.record([0], [Number.POSITIVE_INFINITY], [0]);
    expect([ledger.seen(0), ledger.lastLoss(0), ledger.meanLoss(0)]).toEqual([1, Number.POSITIVE_INFINITY, Number.NaN]);
    ledger.record([0], [3], [1]);
    expect(ledger.meanLoss(0)).toBe(3);
    ledger.record([0], [1e39], [1]);
    expect([ledger.lastLoss(0), ledger.meanLoss(0)]).toEqual([Number.POSITIVE_INFINITY, 3]);
  });

  it('counts a row that is twice in a batch as seen twice', () => {
    const ledger = miningLedger(2);
    ledger.record([0, 1, 1], [1, 2, 4], [0, 1, 1]);
    expect(everything(ledger)).toEqual([
      [1, 2],
      [0, 2],
      [1, 4],
      [1, 3],
    ]);
  });

  it('lists the rows with the largest last loss, those that are not finite first, and none that was not seen', () => {
    expect(example().hardest(9)).toEqual(Int32Array.of(0, 1, 2));
    expect(example().hardest(2)).toEqual(Int32Array.of(0, 1));
  });

  it('lists the rows that were seen and never mined', () => {
    expect(example().neverMined()).toEqual(Int32Array.of(2));
  });

  it('suspects the rows that were always mined and have a large mean loss, and none that was never mined', () => {
    const ledger = miningLedger(5);
    for (let pass = 0; pass < 4; pass++) {
      // Row 0 is learned, 1 never, 2 is as hard but mined half the time, 3 is easy, 4 is hard and
      // never mined.
      const losses = [4 - pass, 4, 4, 0.1, 9];
      ledger.record([0, 1, 2, 3, 4], losses, [1, 1, (pass + 1) % 2, pass % 2, 0]);
    }
    expect(ledger.suspects(3)).toEqual(Int32Array.of(1, 0, 2));
    expect(ledger.suspects(9)).toEqual(Int32Array.of(1, 0, 2, 3));
  });

  it('suspects by the same measure where losses are negative', () => {
    const ledger = miningLedger(3);
    ledger.record([0, 1, 2], [-0.2, -0.2, -0.9], [1, 1, 1]);
    ledger.record([0, 1, 2], [-0.2, -0.2, -0.9], [1, 0, 0]);
    expect(ledger.suspects(3)).toEqual(Int32Array.of(0, 1, 2));
  });

  it('lists nothing before it has seen anything', () => {
    const ledger = miningLedger(3);
    for (const rows of [ledger.hardest(2), ledger.suspects(2), ledger.neverMined()])
      expect(rows).toEqual(new Int32Array());
  });

  it('counts every visit, for random batches', () => {
    const visit = fc.record({row: fc.nat(9), loss: fc.float({noNaN: true, min: 0, max: 100}), isKept: fc.boolean()});
    fc.assert(
      fc.property(fc.array(fc.array(visit, {maxLength: 8}), {maxLength: 12}), (batches) => {
        const ledger = miningLedger(10);
        for (const batch of batches) {
          ledger.record(
            batch.map(({row}) => row),
            batch.map(({loss}) => loss),
            batch.map(({isKept}) => (isKept ? 0.5 : 0)),
          );
        }
        for (let row = 0; row < 10; row++) {
          const visits = batches.flat().filter((visited) => visited.row === row);
          const losses = visits.map(({loss}) => loss);
          expect(ledger.seen(row)).toBe(visits.length);
          expect(ledger.mined(row)).toBe(visits.filter(({isKept}) => isKept).length);
          if (visits.length === 0) continue;
          expect(ledger.lastLoss(row)).toBe(losses.at(-1));
          const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
          expectClose([ledger.meanLoss(row)], [mean], {absolute: 1e-6, relative: 1e-5});
        }
      }),
      RUNS,
    );
  });

  it('comes back from JSON to the bit, and continues', () => {
    const text = JSON.stringify(example());
    const ledger = miningLedger.fromJSON(JSON.parse(text));
    expect(everything(ledger)).toEqual(everything(example()));
    expect(JSON.stringify(ledger)).toBe(text);
    const other = example();
    for (const each of [ledger, other]) each.record([3, 0], [1e-40, 0.1], [1, 0]);
    expect(everything(ledger)).toEqual(everything(other));
  });

  it('comes back from JSON where it is large', () => {
    const ledger = miningLedger(30_000);
    const rows = Array.from({length: 30_000}, (_, row) => row);
    ledger.record(
      rows,
      rows.map((row) => Math.fround(Math.sin(row) / (row % 7))),
      rows.map((row) => (row % 3 === 0 ? 1 : 0)),
    );
    expect(everything(miningLedger.fromJSON(ledger.toJSON()))).toEqual(everything(ledger));
  });

  it('refuses JSON of something else, and JSON that was cut short', () => {
    const saved = example().toJSON();
    const from = (value: unknown) => () => miningLedger.fromJSON(value);
    const foreign = 'miningLedger.fromJSON: value must be a result of toJSON(), got ';
    for (const [value, got] of [
      [null, 'null'],
      [3, '3'],
      ['{"size":4}', '{"size":4}'],
      [{}, '{}'],
      [{size: 4}, '{size}'],
    ]) {
      expect(from(value)).toThrow(new TypeError(`${foreign}${got}. Parse a text first: JSON.parse(text).`));
    }
    expect(from({...saved, version: 2})).toThrow(foreign);
    expect(from({...saved, size: 0})).toThrow(
      new RangeError('miningLedger.fromJSON: size must be an integer >= 1, got 0.'),
    );
    const rows = 'miningLedger.fromJSON: rows must';
    const changed = (text: unknown) => from({...saved, rows: text});
    expect(changed(saved.rows.slice(0, -4))).toThrow(
      new RangeError(`${rows} hold 80 bytes in base64, got 78. It was cut short or changed.`),
    );
    expect(from({...saved, size: 5})).toThrow(`${rows} hold 100 bytes in base64, got 80.`);
    expect(changed('*')).toThrow(`${rows} hold 80 bytes in base64, got none.`);
    expect(changed(undefined)).toThrow(`${rows} hold 80 bytes in base64, got none.`);
    // One row with the bytes of a 0, a 1 and three more zeros: mined once, and never seen.
    const mined = Buffer.from(Uint32Array.of(0, 1, 0, 0, 0).buffer).toString('base64');
    expect(from({...saved, size: 1, rows: mined})).toThrow(
      new RangeError(`${rows} have mined <= seen, got more at row 0.`),
    );
  });

  it('refuses what does not fit, by name, and enters nothing of it', () => {
    const ledger = example();
    const before = JSON.stringify(ledger);
    const record = (rows: unknown, losses: unknown, kept: unknown) => () =>
      ledger.record(rows as number[], losses as number[], kept as number[]);
    const refusals: [() => unknown, ErrorConstructor, string][] = [
      [() => miningLedger(0), RangeError, 'miningLedger: size must be an integer >= 1, got 0.'],
      [() => miningLedger(1.5), RangeError, 'miningLedger: size must be an integer >= 1, got 1.5.'],
      [
        record([0, 4], [1, 1], [0, 0]),
        RangeError,
        'miningLedger.record: rows must hold integers from 0 to 3, got 4 at position 1.',
      ],
      [
        record([0, 0.5], [1, 1], [0, 0]),
        RangeError,
        'miningLedger.record: rows must hold integers from 0 to 3, got 0.5 at position 1.',
      ],
      [
        record([-1], [1], [0]),
        RangeError,
        'miningLedger.record: rows must hold integers from 0 to 3, got -1 at position 0.',
      ],
      [
        record([0, 1], [1], [0, 0]),
        TypeError,
        'miningLedger.record: losses must hold one number for each of the 2 rows, got 1.',
      ],
      [
        record([0, 1], [1, 2], [1]),
        TypeError,
        'miningLedger.record: kept must hold one number for each of the 2 rows, got 1.',
      ],
      [
        record([0], [1], undefined),
        TypeError,
        'miningLedger.record: kept must be an array of numbers or a typed array, got undefined.',
      ],
      [
        record(0, [1], [1]),
        TypeError,
        'miningLedger.record: rows must be an array of numbers or a typed array, got 0.',
      ],
      [() => ledger.seen(4), RangeError, 'miningLedger.seen: row must be an integer from 0 to 3, got 4.'],
      [() => ledger.meanLoss(-1), RangeError, 'miningLedger.meanLoss: row must be an integer from 0 to 3, got -1.'],
      [() => ledger.hardest(0), RangeError, 'miningLedger.hardest: n must be an integer >= 1, got 0.'],
      [() => ledger.suspects(2.5), RangeError, 'miningLedger.suspects: n must be an integer >= 1, got 2.5.'],
    ];
    for (const [refused, kind, message] of refusals) expect(refused).toThrow(new kind(message));
    expect(JSON.stringify(ledger)).toBe(before);
  });
});

describeOnBackends('miningLedger.observe', () => {
  afterEach(() => vi.restoreAllMocks());

  const step = () =>
    ohemStep(tinyModel(), {loss: categoricalCrossentropy(), select: topK({k: 2}), optimizer: train.sgd(0.1)});

  it('enters the losses of a step and the rows that it kept, by one read, and leaves the report as it is', async () => {
    for (const rows of [[5, 1, 2, 9, 4, 0], tensor1d([5, 1, 2, 9, 4, 0], 'int32')]) {
      const ledger = miningLedger(10);
      const report = step()(tinyXs(), tinyYs());
      const [before, read] = [memory().numTensors, vi.spyOn(Tensor.prototype, 'data')];
      await ledger.observe(rows, report);
      expect(read).toHaveBeenCalledTimes(1);
      vi.restoreAllMocks();
      expect(memory().numTensors).toBe(before);
      const losses = [...report.losses.dataSync()];
      // The tiny model gets the fourth and the sixth row wrong.
      expect([9, 0].map((row) => [ledger.seen(row), ledger.mined(row), ledger.lastLoss(row)])).toEqual([
        [1, 1, losses[3]],
        [1, 1, losses[5]],
      ]);
      expect([5, 1, 2, 4].map((row) => ledger.mined(row))).toEqual([0, 0, 0, 0]);
      expect(ledger.lastLoss(5)).toBe(losses[0]);
      expect([3, 6, 7, 8].map((row) => ledger.seen(row))).toEqual([0, 0, 0, 0]);
      report.dispose();
    }
  });

  it('has taken what it needs when it returns: the report may be read, and the list of rows used again', async () => {
    const ledger = miningLedger(10);
    const report = step()(tinyXs(), tinyYs());
    const rows = [0, 1, 2, 3, 4, 5];
    const observed = ledger.observe(rows, report);
    rows.fill(9);
    await report.read();
    await observed;
    expect([0, 3, 5, 9].map((row) => ledger.seen(row))).toEqual([1, 1, 1, 0]);
  });

  it('counts a row that a selection has drawn twice as mined once', async () => {
    const ledger = miningLedger(2);
    const selection = {indices: tensor1d([1, 1], 'int32'), weights: tensor1d([0.5, 0.5])};
    await ledger.observe([0, 1], {losses: tensor1d([1, 2]), selection});
    expect([0, 1].map((row) => ledger.mined(row))).toEqual([0, 1]);
  });

  it('counts nothing as mined where nothing was finite', async () => {
    const ledger = miningLedger(1);
    const report = step()(tensor2d([[Number.NaN, 1]]), tensor2d([[1, 0]]));
    await ledger.observe([0], report);
    expect([ledger.seen(0), ledger.mined(0), ledger.lastLoss(0)]).toEqual([1, 0, Number.NaN]);
  });

  it('reads row numbers exactly where float32 would not hold them', async () => {
    const ledger = miningLedger(2 ** 24 + 2);
    const rows = tensor1d([2 ** 24 + 1, 0, 1, 2, 3, 4], 'int32');
    await ledger.observe(rows, step()(tinyXs(), tinyYs()));
    expect([2 ** 24, 2 ** 24 + 1].map((row) => ledger.seen(row))).toEqual([0, 1]);
  });

  it('refuses a disposed report, and what does not fit, and enters nothing of it', async () => {
    const ledger = miningLedger(4);
    const report = step()(tinyXs(), tinyYs());
    const [before, left] = [JSON.stringify(ledger), memory().numTensors];
    const refused = (rows: unknown, observed: unknown = report) =>
      expect(ledger.observe(rows as number[], observed as typeof report)).rejects;
    await refused([0, 1, 2, 3, 0, 4]).toThrow(
      new RangeError('miningLedger.observe: rows must hold integers from 0 to 3, got 4 at position 5.'),
    );
    await refused([0, 1]).toThrow(
      new TypeError('miningLedger.observe: losses must hold one number for each of the 2 rows, got 6.'),
    );
    await refused(tensor1d([0, 1])).toThrow(
      new TypeError('miningLedger.observe: rows must be numbers or a tensor int32[B], got a tensor float32[2].'),
    );
    await refused(undefined).toThrow(
      new TypeError('miningLedger.observe: rows must be an array of numbers or a typed array, got undefined.'),
    );
    await refused([0], {losses: [1]}).toThrow(
      new TypeError('miningLedger.observe: report must be the report of a step, {losses, selection}, got {losses}.'),
    );
    report.dispose();
    await refused([0, 1, 2, 3, 0, 1]).toThrow(
      new TypeError(
        'miningLedger.observe: report must not be disposed, got a disposed one. Call observe() before read() or dispose().',
      ),
    );
    expect(JSON.stringify(ledger)).toBe(before);
    expect(memory().numTensors).toBeLessThanOrEqual(left);
  });
});
