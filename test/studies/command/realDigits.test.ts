import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {FailedError} from '../../../examples/mnist/node/errors';
import {realDigits} from '../../../studies/command/realDigits';
import {describeWithMnist} from '../../support/mnist';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ohem-real-'));
});
afterAll(() => rm(folder, {recursive: true}));

describe('realDigits', () => {
  it('refuses to continue with digits that a program drew', async () => {
    const digits = realDigits({cacheFolder: folder, download: false});
    await expect(digits).rejects.toThrow(FailedError);
    await expect(digits).rejects.toThrow(
      'study: the digits must be those of MNIST, got none: they are not in the cache, and cannot be downloaded. ' +
        'Give the folder of the four files with --data.',
    );
  });

  it('names what is wrong with a folder', async () => {
    const digits = realDigits({folder});
    await expect(digits).rejects.toThrow(FailedError);
    await expect(digits).rejects.toThrow(
      /^study: --data must name the folder of MNIST's four files\. loadDigits: folder must hold train-images/,
    );
  });
});

describeWithMnist('realDigits', (mnist) => {
  it('reads MNIST', async () => {
    const {train, test} = await realDigits({folder: mnist});
    expect([train.count, test.count]).toEqual([60_000, 10_000]);
  });
});
