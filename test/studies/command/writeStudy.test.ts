import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {FailedError} from '../../../examples/mnist/node/errors';
import {writeStudy} from '../../../studies/command/writeStudy';
import {orderedSgd} from '../../../studies/ordered/orderedSgd';
import {countingProvenance} from '../../support/countingStudy';
import {orderedRecords} from '../../support/studyRecords';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ohem-write-'));
});
afterAll(() => rm(folder, {recursive: true}));

describe('writeStudy', () => {
  it('writes the results of the seeds, with settings and versions, and each figure twice', async () => {
    const provenance = countingProvenance({study: 'ordered-sgd'});
    const paths = await writeStudy(orderedSgd, provenance, orderedRecords(), folder);
    const names = ['results.json', 'test-error-dark.svg', 'test-error-light.svg'];
    expect(paths.map((path) => path.slice(folder.length + 1)).sort()).toEqual(names);
    expect((await readdir(folder)).sort()).toEqual(names);

    const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
    expect(results).toMatchObject({...provenance, seeds: 3});
    expect(results.arms[0].testError).toEqual({
      3: {mean: 0.079, margin: 0.00248434, deviation: 0.001, count: 3},
    });
  });

  it('says that the seeds are there still where it cannot write', async () => {
    const file = join(folder, 'results.json');
    const written = writeStudy(orderedSgd, countingProvenance({study: 'ordered-sgd'}), orderedRecords(), file);
    await expect(written).rejects.toThrow(FailedError);
    await expect(written).rejects.toThrow(/^study: --out must be .* Every seed is there still: put that right/);
  });
});
