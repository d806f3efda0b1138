import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  checkpointPath,
  decodeCheckpoint,
  encodeCheckpoint,
  isFinished,
  readCheckpoint,
  whereabouts,
  writeCheckpoint,
} from '../../../../examples/mnist/node/checkpoint';
import {FailedError} from '../../../../examples/mnist/node/errors';
import {exampleCheckpoint} from './exampleCheckpoint';

describe('a checkpoint', () => {
  it('comes back bit for bit', () => {
    const checkpoint = exampleCheckpoint();
    const back = decodeCheckpoint(encodeCheckpoint(checkpoint), 'checkpoint.json');
    expect(back).toStrictEqual(checkpoint);
    expect(Object.is(back.state.current?.weights[0]?.[1], -0)).toBe(true);
  });

  it('takes views into larger buffers', () => {
    const checkpoint = exampleCheckpoint();
    const {current} = checkpoint.state;
    if (current) current.weights = [Float32Array.of(1, 2, 3, 4).subarray(1, 3)];
    const back = decodeCheckpoint(encodeCheckpoint(checkpoint), 'checkpoint.json');
    expect(back.state.current?.weights).toEqual([Float32Array.of(2, 3)]);
  });

  it('has no weights between two runs', () => {
    const checkpoint = exampleCheckpoint();
    delete checkpoint.state.current;
    expect(decodeCheckpoint(encodeCheckpoint(checkpoint), 'checkpoint.json')).toStrictEqual(checkpoint);
  });

  it('tells where it is', () => {
    const checkpoint = exampleCheckpoint();
    expect(whereabouts(checkpoint)).toBe('run 2 of 2, step 2 of 3');
    expect(isFinished(checkpoint)).toBe(false);
    delete checkpoint.state.current;
    expect(whereabouts(checkpoint)).toBe('run 2 of 2, step 0 of 3');
    checkpoint.state.finished.push(...checkpoint.state.finished);
    expect(isFinished(checkpoint)).toBe(true);
  });
});

describe('decodeCheckpoint', () => {
  const text = encodeCheckpoint(exampleCheckpoint());
  const rejected = (damaged: string) => {
    try {
      decodeCheckpoint(damaged, 'a/checkpoint.json');
    } catch (error) {
      expect(error).toBeInstanceOf(FailedError);
      return (error as Error).message;
    }
    return 'nothing thrown';
  };

  it('rejects a file that was cut, wherever that was', () => {
    for (let length = 0; length < text.length - 1; length += 97) {
      expect(rejected(text.slice(0, length))).toMatch(
        /^mnist: a\/checkpoint\.json must be a checkpoint of this example, got a damaged or cut file \(.*\)\.$/,
      );
    }
  });

  it('rejects a file with a changed number or a changed weight', () => {
    const message =
      'mnist: a/checkpoint.json must be a checkpoint of this example, got a damaged one: its checksum is wrong.';
    expect(rejected(text.replace('0.4567891', '0.4567892'))).toBe(message);
    expect(rejected(text.replace('"weights":["A', '"weights":["B'))).toBe(message);
    expect(rejected(text.replace('"content"', '"contents"'))).toBe(message);
  });

  it.each(['{}', '[]', 'null', '7', '"text"', '{"format":"another"}'])(
    'rejects %s, which is something else',
    (other) => {
      expect(rejected(other)).toBe(
        'mnist: a/checkpoint.json must be a checkpoint of this example, got something else.',
      );
    },
  );

  it('rejects one of another version', () => {
    expect(rejected(text.replace('"version":1', '"version":2'))).toBe(
      'mnist: a/checkpoint.json must be a checkpoint of this example, got version 2 where this is version 1.',
    );
  });
});

describe('readCheckpoint', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-checkpoint-'));
  });
  afterEach(() => rm(folder, {recursive: true}));

  it('reads what writeCheckpoint wrote, in place of what was there', async () => {
    const there = join(folder, 'results');
    const checkpoint = exampleCheckpoint();
    await writeCheckpoint(there, {...checkpoint, fingerprint: 'old'});
    await writeCheckpoint(there, checkpoint);
    expect(await readCheckpoint(there)).toStrictEqual(checkpoint);
    expect(await readdir(there)).toEqual(['checkpoint.json']);
  });

  it('finds none where there is no file, no folder, or a file for a folder', async () => {
    await writeFile(join(folder, 'file'), '');
    for (const place of ['', 'nowhere', 'file']) expect(await readCheckpoint(join(folder, place))).toBeUndefined();
  });

  it('leaves a damaged file as it is', async () => {
    await writeFile(checkpointPath(folder), '{"format');
    await expect(readCheckpoint(folder)).rejects.toThrow(FailedError);
    expect(await readFile(checkpointPath(folder), 'utf8')).toBe('{"format');
  });

  it('names the file that it cannot read', async () => {
    await mkdir(checkpointPath(folder));
    await expect(readCheckpoint(folder)).rejects.toThrow(
      `mnist: ${checkpointPath(folder)} must be a file that can be read, got EISDIR`,
    );
  });
});
