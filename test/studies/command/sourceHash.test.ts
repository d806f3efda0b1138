import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {sourceHash} from '../../../studies/command/sourceHash';
import {studies} from '../../../studies/studies';

const CODE = `/** Doubles. */
export function twice(value: number): number {
  return 2 * value; // both
}
`;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ohem-source-'));
  await mkdir(join(root, 'src/losses'), {recursive: true});
  for (const folder of ['examples/mnist/experiment', 'studies/kit', 'studies/noise', 'studies/pairs', 'bench']) {
    await mkdir(join(root, folder), {recursive: true});
  }
  for (const name of ['bench/flippedLabels.ts', 'bench/trainDigits.ts']) await writeFile(join(root, name), '');
});
afterAll(() => rm(root, {recursive: true}));
beforeEach(() => writeFile(join(root, 'src/losses/twice.ts'), CODE));

describe('sourceHash', () => {
  it.each([
    ['comments', CODE.replace('Doubles.', 'Returns 2x.').replace(' // both', '')],
    ['types', CODE.replace(': number {', ' {')],
    ['lines', CODE.replace('2 * value', '2 *\n    value')],
  ])('is the same after a change of %s', async (_, changed) => {
    const before = await sourceHash('noise', root);
    await writeFile(join(root, 'src/losses/twice.ts'), changed);
    expect(await sourceHash('noise', root)).toBe(before);
  });

  it('is another one after a change of code, or of the name of a file', async () => {
    const before = await sourceHash('noise', root);
    await writeFile(join(root, 'src/losses/twice.ts'), CODE.replace('2 *', '3 *'));
    const changed = await sourceHash('noise', root);
    await writeFile(join(root, 'src/losses/twice.ts'), CODE);
    await writeFile(join(root, 'examples/mnist/experiment/model.ts'), '');
    expect(new Set([before, changed, await sourceHash('noise', root)]).size).toBe(3);
  });

  it.each(['studies/kit/statistics.ts', 'studies/noise/rules.ts', 'bench/flippedLabels.ts'])(
    'is another one after a change of %s',
    async (name) => {
      const before = await sourceHash('noise', root);
      await writeFile(join(root, name), CODE);
      expect(await sourceHash('noise', root)).not.toBe(before);
    },
  );

  it.each(['studies/pairs/study.ts', 'studies/noise/report.ts', 'studies/noise/keptFigure.ts'])(
    'is the same after a change of %s, which is another study or shows numbers',
    async (name) => {
      const before = await sourceHash('noise-rules', root);
      await writeFile(join(root, name), CODE);
      expect(await sourceHash('noise-rules', root)).toBe(before);
    },
  );

  it.each(studies.map(({name}) => name))('reads this repository, with the folder of the study %s', async (name) => {
    expect(await sourceHash(name)).toMatch(/^[0-9a-f]{16}$/);
  });
});
