import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {digitsFromCache} from '../../../../examples/mnist/data/cache';
import {DownloadError} from '../../../../examples/mnist/data/download';
import type {IdxFile} from '../../../../examples/mnist/data/mnistFiles';
import {idxLabels, sha256Of, TINY_BYTES, TINY_FILES, tinyGzip} from './idxFixtures';

const NAMES = Object.keys(TINY_BYTES);
const GZIPPED = NAMES.map((name) => `${name}.gz`).sort();

describe('digitsFromCache', () => {
  let parent: string;
  let folder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'ohem-cache-'));
    folder = join(parent, 'ohem-tfjs', 'mnist');
  });
  afterEach(() => rm(parent, {recursive: true}));

  async function digits(cacheFolder = folder) {
    const messages: string[] = [];
    const asked: string[] = [];
    const download = async ({name}: IdxFile) => {
      asked.push(name);
      return {bytes: TINY_BYTES[name] as Uint8Array, gzipped: tinyGzip(name) as Uint8Array};
    };
    const onMessage = (message: string) => messages.push(message);
    return {...(await digitsFromCache(cacheFolder, {files: TINY_FILES, download, onMessage})), messages, asked};
  }

  it('downloads all at first, and nothing after that', async () => {
    const first = await digits();
    expect(first).toMatchObject({source: 'download', description: 'MNIST, downloaded just now', messages: []});
    expect(first.asked).toEqual(NAMES);
    expect((await readdir(folder)).sort()).toEqual(GZIPPED);

    const second = await digits();
    expect(second).toMatchObject({source: 'cache', description: 'MNIST from the cache', messages: []});
    expect(second.asked).toEqual([]);
    expect(Uint8Array.from(second.train.images)).toEqual(Uint8Array.from(first.train.images));
    expect(Array.from(second.test.labels)).toEqual([7, 2]);
  });

  it('downloads only what is not there', async () => {
    await digits();
    await rm(join(folder, 't10k-labels-idx1-ubyte.gz'));
    expect(await digits()).toMatchObject({source: 'download', asked: ['t10k-labels-idx1-ubyte']});
  });

  it('says that a file is not the right one, and downloads it again', async () => {
    await digits();
    const path = join(folder, 'train-labels-idx1-ubyte.gz');
    const wrong = idxLabels([5, 0, 3]);
    await writeFile(path, wrong);
    expect(await digits()).toMatchObject({
      source: 'download',
      asked: ['train-labels-idx1-ubyte'],
      messages: [
        `Cannot use the cached ${path}: its SHA-256 must be ${TINY_FILES.trainLabels.sha256}, got ${sha256Of(wrong)}.`,
      ],
    });
    expect(await digits()).toMatchObject({source: 'cache', messages: []});
  });

  it('says that a file is cut short, and downloads it again', async () => {
    await digits();
    const path = join(folder, 't10k-images-idx3-ubyte.gz');
    await writeFile(path, (tinyGzip('t10k-images-idx3-ubyte') as Uint8Array).subarray(0, -4));
    expect(await digits()).toMatchObject({
      asked: ['t10k-images-idx3-ubyte'],
      messages: [
        `Cannot use the cache: decompressed: ${path} must be a whole gzip file, ` +
          'got a damaged one (unexpected end of file). Get the file again.',
      ],
    });
    expect(await digits()).toMatchObject({source: 'cache', messages: []});
  });

  it('does without a cache that cannot be written', async () => {
    const file = join(parent, 'file');
    await writeFile(file, '');
    const {source, messages, train} = await digits(join(file, 'mnist'));
    expect(source).toBe('download');
    expect(train.count).toBe(3);
    const kept = messages.filter((message) => message.startsWith('Cannot keep'));
    expect(kept.length).toBe(4);
    expect(kept[0]).toMatch(/^Cannot keep train-images-idx3-ubyte in the cache: (ENOTDIR|EEXIST|ENOENT): .*\.$/);
  });

  it('passes on that a download failed, and keeps what came before', async () => {
    const download = async (file: IdxFile) => {
      if (file !== TINY_FILES.trainImages) throw new DownloadError(`no mirror gave ${file.name}`);
      return {bytes: TINY_BYTES[file.name] as Uint8Array, gzipped: tinyGzip(file.name) as Uint8Array};
    };
    await expect(digitsFromCache(folder, {files: TINY_FILES, download, onMessage: () => {}})).rejects.toThrow(
      new DownloadError('no mirror gave train-labels-idx1-ubyte'),
    );
    expect(await readdir(folder)).toEqual(['train-images-idx3-ubyte.gz']);
  });

  it('is filled rightly by several at the same time', async () => {
    await mkdir(folder, {recursive: true});
    await Promise.all([digits(), digits(), digits(), digits()]);
    expect((await readdir(folder)).sort()).toEqual(GZIPPED);
    expect(await digits()).toMatchObject({source: 'cache', messages: []});
  });

  it('holds nothing of a file whose download was killed halfway', async () => {
    const load = new URL('../../../../examples/mnist/data/load.ts', import.meta.url).href;
    const script = `
      import {loadDigits} from ${JSON.stringify(load)};
      const fetch = async () => new Response(new ReadableStream({
        start(stream) { stream.enqueue(Uint8Array.of(0x1f, 0x8b, 8, 0, 0)); process.stdout.write('halfway'); },
      }));
      await loadDigits({cacheFolder: ${JSON.stringify(folder)}, fetch});
    `;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toBe('halfway');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await readdir(folder).catch(() => [])).toEqual([]);
    expect(await digits()).toMatchObject({source: 'download', messages: []});
  });
});
