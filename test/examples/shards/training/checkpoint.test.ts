import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {checkWritable, readCheckpoint, writeCheckpoint} from '../../../../examples/shards/training/checkpoint';
import {tinySettings} from '../tinySettings';

const state = {step: 12, weights: Float32Array.of(1, -0, 3.5), momenta: Float32Array.of(0.1, 0.2, 0.3)};
const settings = tinySettings();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shards-'));
});
afterEach(() => rm(folder, {recursive: true}));

describe('A checkpoint of shards', () => {
  it('is read as it was written, for any number of steps', async () => {
    expect(await readCheckpoint(folder, settings)).toBeUndefined();
    await writeCheckpoint(folder, state, settings);
    expect(await readCheckpoint(folder, {...settings, steps: 99, timeout: 1})).toEqual(state);
  });

  it('is refused if a byte of it is another, or it is cut', async () => {
    await writeCheckpoint(folder, state, settings);
    const path = join(folder, 'training.shards');
    const file = await readFile(path);
    for (const damaged of [file.subarray(0, -4), Buffer.concat([file.subarray(0, -1), Buffer.of(7)]), Buffer.of(1)]) {
      await writeFile(path, damaged);
      await expect(readCheckpoint(folder, settings)).rejects.toThrow(
        `shards: the checkpoint must be whole, got a damaged ${path}.`,
      );
    }
  });

  it('is refused by name if it cannot be written, also beforehand', async () => {
    await checkWritable(folder);
    expect(await readdir(folder)).toEqual([]);
    const file = join(folder, 'file');
    await writeFile(file, '');
    const refused = /^shards: the checkpoint must be a file that can be written, got E/;
    await expect(checkWritable(file)).rejects.toThrow(refused);
    await expect(writeCheckpoint(file, state, settings)).rejects.toThrow(refused);
  });

  it('is refused if it is of other settings, or no file', async () => {
    await writeCheckpoint(folder, state, settings);
    await expect(readCheckpoint(folder, {...settings, k: 3})).rejects.toThrow(
      'shards: the checkpoint must be of the same settings, got',
    );
    await expect(readCheckpoint(join(folder, 'training.shards'), settings)).rejects.toThrow(
      'shards: the checkpoint must be a file that can be read, got ENOTDIR',
    );
  });
});
