import {mkdir, mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {drawDigits} from '../../../../examples/mnist/data/drawnDigits';
import {type LoadDigitsOptions, loadDigits} from '../../../../examples/mnist/data/load';
import {TINY_BYTES, TINY_FILES, tinyGzip} from './idxFixtures';

type Answer = (url: string) => Response;
const good: Answer = (url) => new Response(tinyGzip(url) ?? null);
const unreachable: Answer = () => {
  throw new TypeError('fetch failed', {cause: new Error('getaddrinfo ENOTFOUND one.test')});
};

describe('loadDigits', () => {
  let parent: string;
  let cacheFolder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'ohem-load-'));
    cacheFolder = join(parent, 'cache');
  });
  afterEach(() => rm(parent, {recursive: true}));

  /** Loads the tiny data set with a network that answers as told. */
  async function load(answer: Answer, options: LoadDigitsOptions = {}) {
    const messages: string[] = [];
    const asked: string[] = [];
    const data = await loadDigits({
      cacheFolder,
      files: TINY_FILES,
      mirrors: ['https://one.test/', 'https://two.test/'],
      drawnCounts: {train: 20, test: 10},
      onMessage: (message) => messages.push(message),
      fetch: async (url) => {
        asked.push(String(url));
        return answer(String(url));
      },
      ...options,
    });
    return {...data, messages, asked};
  }

  it('downloads into the cache, then reads from it without the network', async () => {
    const first = await load(good);
    expect(first).toMatchObject({source: 'download', train: {count: 3}, test: {count: 2}});
    expect(first.asked).toEqual(Object.keys(TINY_BYTES).map((name) => `https://one.test/${name}.gz`));
    expect(first.messages).toEqual(Object.keys(TINY_BYTES).map((name) => `Downloading ${name} …`));

    const second = await load(unreachable);
    expect(second).toMatchObject({source: 'cache', asked: [], messages: []});
    expect(Array.from(second.train.labels)).toEqual([5, 0, 4]);
  });

  it('prefers a folder, and asks neither the cache nor the network', async () => {
    const folder = join(parent, 'mine');
    await mkdir(folder);
    for (const [name, bytes] of Object.entries(TINY_BYTES)) await writeFile(join(folder, name), bytes);
    expect(await load(good, {folder})).toMatchObject({
      source: 'folder',
      description: `MNIST from ${folder}`,
      asked: [],
      messages: [],
    });
    expect(await readdir(parent)).toEqual(['mine']);
  });

  it.each(['', 'nowhere'])('does not replace the folder %j by anything', async (folder) => {
    await expect(load(good, {folder})).rejects.toThrow(
      new Error(
        `loadDigits: folder must be a folder that can be read, got '${folder}'. ` +
          'Give the one with the four IDX files, or none to use MNIST from the cache or a download.',
      ),
    );
  });

  it('draws digits when no mirror can be reached, stops at the first file, and says so loudly', async () => {
    const {train, test, source, description, asked, messages} = await load(unreachable, {seed: 3});
    expect(source).toBe('drawn');
    expect(description).toBe(
      'digits drawn by this example, NOT MNIST: no --data given, none in the cache, ' +
        'and no mirror gave train-images-idx3-ubyte',
    );
    expect(train).toEqual(drawDigits({count: 20, seed: 6}));
    expect(test).toEqual(drawDigits({count: 10, seed: 7}));
    expect(asked.length).toBe(2);
    expect(messages).toEqual([
      'Downloading train-images-idx3-ubyte …',
      'Cannot use https://one.test/train-images-idx3-ubyte.gz: fetch failed (getaddrinfo ENOTFOUND one.test).',
      'Cannot use https://two.test/train-images-idx3-ubyte.gz: fetch failed (getaddrinfo ENOTFOUND one.test).',
    ]);
  });

  it('draws digits when every mirror is wrong, and caches nothing', async () => {
    expect(await load(() => new Response('<html>'))).toMatchObject({source: 'drawn'});
    expect(await readdir(parent)).toEqual([]);
  });

  it('draws digits when downloads are switched off and the cache is empty', async () => {
    expect(await load(good, {download: false})).toMatchObject({
      source: 'drawn',
      asked: [],
      messages: [],
      description:
        'digits drawn by this example, NOT MNIST: no --data given, none in the cache, and downloads are switched off',
    });
  });

  it('needs no downloads when the cache is full', async () => {
    await load(good);
    expect(await load(unreachable, {download: false})).toMatchObject({source: 'cache', asked: []});
  });

  it('draws the same digits for the same seed', async () => {
    const [one, same, other] = [
      await load(unreachable, {seed: 1}),
      await load(unreachable),
      await load(unreachable, {seed: 2}),
    ];
    expect(one.train).toEqual(same.train);
    expect(one.train.images).not.toEqual(other.train.images);
    expect(one.test.images).not.toEqual(one.train.images.subarray(0, one.test.images.length));
  });

  it('does not take its own mistakes for a missing network', async () => {
    const onMessage = () => {
      throw new Error('the listener failed');
    };
    await expect(load(good, {onMessage})).rejects.toThrow(new Error('the listener failed'));
  });
});
