import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {writeCheckpoint} from '../../../../examples/mnist/node/checkpoint';
import {UsageError} from '../../../../examples/mnist/node/errors';
import {freeFolder} from '../../../../examples/mnist/node/freeFolder';
import {exampleCheckpoint} from './exampleCheckpoint';

describe('freeFolder', () => {
  let folder: string;
  let preset: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem free '));
    preset = join(folder, 'results');
  });
  afterEach(() => rm(folder, {recursive: true}));

  const unfinish = (path: string) => writeCheckpoint(path, exampleCheckpoint());
  const finish = (path: string) => {
    const checkpoint = exampleCheckpoint();
    return writeCheckpoint(path, {...checkpoint, settings: {...checkpoint.settings, runs: ['8/4']}});
  };

  it('takes the preset one, and one with a number behind finished experiments', async () => {
    expect(await freeFolder({}, preset)).toBe(preset);
    await finish(preset);
    expect(await freeFolder({}, preset)).toBe(`${preset}-2`);
    await finish(`${preset}-2`);
    expect(await freeFolder({}, preset)).toBe(`${preset}-3`);
  });

  it('takes results without their checkpoint for a finished experiment', async () => {
    await mkdir(preset);
    expect(await freeFolder({}, preset)).toBe(preset);
    await writeFile(join(preset, 'results.json'), '{}');
    expect(await freeFolder({}, preset)).toBe(`${preset}-2`);
  });

  it('stops at an unfinished one, and says how to resume it', async () => {
    await finish(preset);
    await unfinish(`${preset}-2`);
    await expect(freeFolder({}, preset)).rejects.toThrow(
      new UsageError(
        `mnist: --out must not hold an unfinished experiment, got one in ${preset}-2 (run 2 of 2, step 2 of 3). ` +
          `Resume with --resume "${preset}-2", or lose it with --fresh.`,
      ),
    );
  });

  it('takes a folder that was named, or refuses it', async () => {
    expect(await freeFolder({out: preset}, 'unused')).toBe(preset);
    await finish(preset);
    await expect(freeFolder({out: preset}, 'unused')).rejects.toThrow(
      new UsageError(
        `mnist: --out must not hold a finished experiment, got one in ${preset}. ` +
          'Name another folder, or lose it with --fresh.',
      ),
    );
  });

  it('takes any folder with --fresh', async () => {
    await finish(preset);
    expect(await freeFolder({fresh: true}, preset)).toBe(preset);
    await unfinish(preset);
    expect(await freeFolder({fresh: true, out: preset}, 'unused')).toBe(preset);
  });
});
