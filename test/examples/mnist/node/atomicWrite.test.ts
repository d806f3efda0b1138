import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {writeFileAtomically} from '../../../../examples/mnist/node/atomicWrite';

describe('writeFileAtomically', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-atomic-'));
  });
  afterEach(() => rm(folder, {recursive: true}));

  it('writes text and bytes, and makes the folder', async () => {
    await writeFileAtomically(join(folder, 'a/b/text.json'), '{"é": 1}');
    await writeFileAtomically(join(folder, 'a/bytes'), Uint8Array.of(0, 255, 31));
    expect(await readFile(join(folder, 'a/b/text.json'), 'utf8')).toBe('{"é": 1}');
    expect(new Uint8Array(await readFile(join(folder, 'a/bytes')))).toEqual(Uint8Array.of(0, 255, 31));
  });

  it('replaces a file and leaves nothing else', async () => {
    await writeFile(join(folder, 'file'), 'a long old text');
    await writeFileAtomically(join(folder, 'file'), 'new');
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('removes its temporary file when it fails', async () => {
    await mkdir(join(folder, 'taken/by a folder'), {recursive: true});
    await expect(writeFileAtomically(join(folder, 'taken'), 'new')).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST|EPERM/);
    expect(await readdir(folder)).toEqual(['taken']);
  });

  it('lets writers at the same time each write a whole file', async () => {
    const texts = Array.from({length: 8}, (_, writer) => String(writer).repeat(200_000));
    await Promise.all(texts.map((text) => writeFileAtomically(join(folder, 'file'), text)));
    expect(texts).toContain(await readFile(join(folder, 'file'), 'utf8'));
    expect(await readdir(folder)).toEqual(['file']);
  });
});
