import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {orderedSgd} from '../../studies/orderedSgd';
import {writeStudy} from '../../studies/writeStudy';
import {countingProvenance} from '../support/countingStudy';
import {orderedRecords} from '../support/studyRecords';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ohem-write-'));
});
afterAll(() => rm(folder, {recursive: true}));

describe('writeStudy', () => {
  it('writes what the seeds came to, with settings and versions, and each figure twice', async () => {
    const provenance = countingProvenance({study: 'ordered-sgd'});
    const paths = await writeStudy(orderedSgd, provenance, orderedRecords(), folder);
    const names = ['results.json', 'test-error-dark.svg', 'test-error-light.svg'];
    expect(paths.map((path) => path.slice(folder.length + 1)).sort()).toEqual(names);
    expect((await readdir(folder)).sort()).toEqual(names);

    const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
    expect(results).toMatchObject({...provenance, seeds: 3});
    expect(results.arms[0].testError).toEqual({mean: 0.079, margin: 0.00248434, deviation: 0.001, count: 3});
  });
});
