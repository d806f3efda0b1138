import {describe, expect, it} from 'vitest';
import {DownloadError} from '../../../../examples/mnist/data/download';
import {downloadedDigits} from '../../../../examples/mnist/data/downloadedDigits';
import {TINY_DIGITS, TINY_FILES, tinyGzip} from './idxFixtures';

const mirrors = ['https://one.test/'];

describe('downloadedDigits', () => {
  it('downloads the four files, and tells which one it is at', async () => {
    const messages: string[] = [];
    const onMessage = (message: string) => messages.push(message);
    const fetch = async (url: unknown) => new Response(tinyGzip(String(url)) as Uint8Array<ArrayBuffer>);
    const digits = await downloadedDigits({onMessage, fetch, mirrors}, TINY_FILES);
    expect(digits).toEqual({...TINY_DIGITS, source: 'download', description: 'MNIST, downloaded just now'});
    expect(messages).toEqual(Object.values(TINY_FILES).map(({name}) => `Downloading ${name} …`));
  });

  it('ends with the first file that no mirror gives', async () => {
    const messages: string[] = [];
    const onMessage = (message: string) => messages.push(message);
    const fetch = async () => new Response('', {status: 503});
    await expect(downloadedDigits({onMessage, fetch, mirrors}, TINY_FILES)).rejects.toThrow(
      new DownloadError('no mirror gave train-images-idx3-ubyte'),
    );
    expect(messages.at(-1)).toBe('Cannot use https://one.test/train-images-idx3-ubyte.gz: it answered 503.');
  });
});
