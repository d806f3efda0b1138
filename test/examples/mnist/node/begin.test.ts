import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {DEFAULTS} from '../../../../examples/mnist/experiment/defaults';
import {begin} from '../../../../examples/mnist/node/begin';
import {checkpointPath, readCheckpoint, writeCheckpoint} from '../../../../examples/mnist/node/checkpoint';
import {FailedError, UsageError} from '../../../../examples/mnist/node/errors';
import {readOptions} from '../../../../examples/mnist/node/options';

describe('begin', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-begin-'));
  });
  afterEach(() => rm(folder, {recursive: true}));

  const start = (...argv: string[]) => begin(readOptions(argv), () => {});

  /** Leaves an experiment in the folder that was stopped before its first step. */
  async function unfinished() {
    const {checkpoint} = await start('--out', folder, '--digits', '60', '--steps', '5', '--runs', '8/4,8/4-random');
    await writeCheckpoint(folder, checkpoint);
    return checkpoint;
  }

  it('begins with the defaults and what was typed', async () => {
    const beginning = await start('--out', folder, '--digits', '60', '--seed', '3');
    expect(beginning.folder).toBe(folder);
    expect(beginning.checkpoint).toMatchObject({
      settings: {...DEFAULTS, seed: 3},
      data: {
        source: 'drawn',
        description: 'digits drawn by this example, NOT MNIST: as --digits asks for',
        trainCount: 60,
        testCount: 10,
      },
      request: {drawn: {train: 60, test: 10}},
      state: {finished: []},
    });
    expect(beginning.digits.train.count).toBe(60);
  });

  it('trains on the same drawn digits whatever the seed is', async () => {
    const one = await start('--digits', '60', '--seed', '1', '--out', folder);
    const other = await start('--digits', '60', '--seed', '2', '--out', folder);
    expect(one.checkpoint.fingerprint).toBe(other.checkpoint.fingerprint);
  });

  it('resumes with the settings and the digits of the checkpoint', async () => {
    const checkpoint = await unfinished();
    const beginning = await start('--resume', folder);
    expect(beginning.folder).toBe(folder);
    expect(beginning.checkpoint).toEqual(checkpoint);
    expect(beginning.digits.train.count).toBe(60);
  });

  it('lets the settings of the checkpoint be typed again', async () => {
    const checkpoint = await unfinished();
    const again = ['--steps', '5', '--runs', '8/4,8/4 random', '--lr', '0.0003', '--backend', 'wasm', '--digits', '60'];
    expect((await start('--resume', folder, ...again)).checkpoint).toEqual(checkpoint);
  });

  it.each([
    [['--steps', '6'], '--steps must be left out beside --resume, or be 5 as before, got 6.'],
    [['--lr', '1'], '--lr must be left out beside --resume, or be 0.0003 as before, got 1.'],
    [['--seed', '2'], '--seed must be left out beside --resume, or be 1 as before, got 2.'],
    [['--backend', 'cpu'], '--backend must be left out beside --resume, or be wasm as before, got cpu.'],
    [['--runs', '8/4'], '--runs must be left out beside --resume, or be 8/4,8/4 random as before, got 8/4.'],
    [['--digits', '66'], '--digits must be left out beside --resume, or be 60 as before, got 66.'],
  ])('rejects %j beside --resume', async (argv, message) => {
    await unfinished();
    await expect(start('--resume', folder, ...argv)).rejects.toThrow(new UsageError(`mnist: ${message}`));
  });

  it('refuses to resume without a checkpoint', async () => {
    await expect(start('--resume', folder)).rejects.toThrow(
      new UsageError(`mnist: --resume must name a folder with an experiment, got no ${checkpointPath(folder)}.`),
    );
  });

  it('refuses to resume with other digits', async () => {
    const checkpoint = await unfinished();
    await writeCheckpoint(folder, {...checkpoint, fingerprint: 'of others'});
    const {description} = checkpoint.data;
    await expect(start('--resume', folder)).rejects.toThrow(
      new UsageError(
        `mnist: the digits must be those that the experiment began with (${description}), got others (${description}).`,
      ),
    );
  });

  it('rejects to write over an unfinished experiment, but for --fresh', async () => {
    const checkpoint = await unfinished();
    await expect(start('--out', folder, '--digits', '60')).rejects.toThrow(
      new UsageError(
        `mnist: --out must not hold an unfinished experiment, got one in ${folder} (run 1 of 2, step 0 of 5). ` +
          `Resume with --resume ${folder}, or lose it with --fresh.`,
      ),
    );
    expect(await readCheckpoint(folder)).toEqual(checkpoint);
    const anew = await start('--out', folder, '--digits', '60', '--fresh');
    expect(anew.checkpoint.settings).toEqual(DEFAULTS);
  });

  it('rejects to write over a finished one, but for --fresh', async () => {
    const checkpoint = await unfinished();
    await writeCheckpoint(folder, {...checkpoint, settings: {...checkpoint.settings, runs: []}});
    await expect(start('--out', folder, '--digits', '60')).rejects.toThrow(/must not hold a finished experiment/);
    await expect(start('--out', folder, '--digits', '60', '--fresh')).resolves.toBeDefined();
  });

  it('says before it looks for digits that a folder cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const nowhere = join(folder, 'nowhere');
    await expect(start('--out', join(file, 'below'), '--data', nowhere)).rejects.toThrow(
      /--out must be a folder that can be written to/,
    );
    await unfinished();
    await mkdir(join(folder, 'report.html'));
    await expect(start('--resume', folder)).rejects.toThrow(/report\.html must be a file that can be replaced/);
  });

  it('touches no damaged checkpoint, but for --fresh', async () => {
    await writeFile(checkpointPath(folder), '{"format');
    await expect(start('--resume', folder)).rejects.toThrow(FailedError);
    await expect(start('--out', folder, '--digits', '60')).rejects.toThrow(/ It is lost with --fresh\.$/);
    await expect(start('--out', folder, '--digits', '60', '--fresh')).resolves.toBeDefined();
  });

  it('hands on what is wrong with a folder of digits', async () => {
    await expect(start('--data', folder, '--out', join(folder, 'out'))).rejects.toThrow(FailedError);
    await expect(start('--data', folder, '--out', join(folder, 'out'))).rejects.toThrow(/train-images-idx3-ubyte/);
  });
});
