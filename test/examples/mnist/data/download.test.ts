import {setTimeout as wait} from 'node:timers/promises';
import {gunzipSync} from 'node:zlib';
import {describe, expect, it} from 'vitest';
import {DownloadError, downloadIdxFile} from '../../../../examples/mnist/data/download';
import {sha256Of, TINY_BYTES, TINY_FILES, tinyGzip} from './idxFixtures';

const FILE = TINY_FILES.trainLabels;
const BYTES = TINY_BYTES[FILE.name] as Uint8Array<ArrayBuffer>;
const GZIPPED = tinyGzip(FILE.name) as Uint8Array<ArrayBuffer>;
const ONE = `https://one.test/${FILE.name}.gz`;
const TWO = `https://two.test/${FILE.name}.gz`;

type Answer = (signal: AbortSignal) => Response | Promise<Response>;

/** Downloads from two mirrors that answer as told; an answer is thrown if it is an Error. */
async function download(answers: {one: Answer; two?: Answer}, patience = 5_000) {
  const messages: string[] = [];
  const asked: string[] = [];
  const fetch: typeof globalThis.fetch = async (url, init) => {
    asked.push(String(url));
    const answer = String(url).includes('one') ? answers.one : answers.two;
    if (!answer) throw new Error(`${url} was not expected`);
    return answer(init?.signal as AbortSignal);
  };
  const mirrors = ['https://one.test/', 'https://two.test/'];
  const onMessage = (message: string) => messages.push(message);
  const result = await downloadIdxFile(FILE, {mirrors, onMessage, fetch, patience}).catch((error: Error) => error);
  return {result, messages, asked};
}

const good: Answer = () => new Response(GZIPPED);

/**
 * Sends chunks with a pause before each, then ends, fails, or goes silent; it heeds the signal as
 * fetch does.
 */
function stream(chunks: Uint8Array[], pause: number, end: 'close' | 'fail' | 'hang'): Answer {
  return (signal) =>
    new Response(
      new ReadableStream({
        async start(controller) {
          signal.addEventListener('abort', () => controller.error(signal.reason));
          for (const chunk of chunks) {
            await wait(pause);
            if (signal.aborted) return;
            controller.enqueue(chunk);
          }
          if (end === 'close') controller.close();
          if (end === 'fail') controller.error(new TypeError('terminated', {cause: new Error('other side closed')}));
        },
      }),
    );
}

describe('downloadIdxFile', () => {
  it('gives the bytes of the first mirror, both ways, and asks no other', async () => {
    const {result, messages, asked} = await download({one: good});
    expect(result).toEqual({bytes: BYTES, gzipped: GZIPPED});
    expect(asked).toEqual([ONE]);
    expect(messages).toEqual([]);
  });

  it('takes a file that was unzipped on its way', async () => {
    const {result} = await download({one: () => new Response(BYTES)});
    if (result instanceof Error) throw result;
    expect(Uint8Array.from(result.bytes)).toEqual(BYTES);
    expect(Uint8Array.from(gunzipSync(result.gzipped))).toEqual(BYTES);
  });

  it('lets a slow mirror take its time', async () => {
    const chunks = Array.from(GZIPPED, (byte) => Uint8Array.of(byte)).slice(0, 10);
    const slow = stream([...chunks, GZIPPED.subarray(10)], 60, 'close');
    const {result, messages} = await download({one: slow}, 400);
    expect(messages).toEqual([]);
    expect(result).toMatchObject({bytes: BYTES});
  });

  it.each<[string, Answer, string]>([
    ['answers 404', () => new Response('no such object', {status: 404}), 'it answered 404.'],
    [
      'cannot be reached',
      () => Promise.reject(new TypeError('fetch failed', {cause: new Error('getaddrinfo ENOTFOUND one.test')})),
      'fetch failed (getaddrinfo ENOTFOUND one.test).',
    ],
    [
      'sends a file that is cut short',
      () => new Response(GZIPPED.subarray(0, -10)),
      'decompressed: what came must be a whole gzip file, got a damaged one (unexpected end of file). Get the file again.',
    ],
    ['breaks off', stream([GZIPPED.subarray(0, 12)], 1, 'fail'), 'terminated (other side closed).'],
    [
      'sends another file',
      () => new Response('<html>Sign in to this network'),
      `its SHA-256 must be ${FILE.sha256}, got ${sha256Of(new TextEncoder().encode('<html>Sign in to this network'))}.`,
    ],
    [
      'sends nothing',
      () => new Response(null),
      `its SHA-256 must be ${FILE.sha256}, got ${sha256Of(new Uint8Array())}.`,
    ],
  ])('tries the next mirror when one %s', async (_, bad, reason) => {
    const {result, messages, asked} = await download({one: bad, two: good});
    expect(messages).toEqual([`Cannot use ${ONE}: ${reason}`]);
    expect(asked).toEqual([ONE, TWO]);
    expect(result).toMatchObject({bytes: BYTES});
  });

  it('tries the next mirror when one never answers, or falls silent', async () => {
    const never: Answer = (signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    for (const one of [never, stream([GZIPPED.subarray(0, 12)], 1, 'hang')]) {
      const {result, messages} = await download({one, two: good}, 50);
      expect(messages).toEqual([`Cannot use ${ONE}: nothing came for 0.05 s.`]);
      expect(result).toMatchObject({bytes: BYTES});
    }
  });

  it('fails when no mirror has it, and tells why of each', async () => {
    const {result, messages} = await download({
      one: () => new Response('', {status: 503}),
      two: () => new Response('', {status: 403}),
    });
    expect(result).toEqual(new DownloadError('no mirror gave train-labels-idx1-ubyte'));
    expect(messages).toEqual([`Cannot use ${ONE}: it answered 503.`, `Cannot use ${TWO}: it answered 403.`]);
  });
});
