import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {sourceHash} from '../../../studies/command/sourceHash';

const CODE = `/** Doubles. */
export function twice(value: number): number {
  return 2 * value; // both
}
`;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ohem-source-'));
  await mkdir(join(root, 'src/losses'), {recursive: true});
  await mkdir(join(root, 'examples/mnist/experiment'), {recursive: true});
});
afterAll(() => rm(root, {recursive: true}));
beforeEach(() => writeFile(join(root, 'src/losses/twice.ts'), CODE));

describe('sourceHash', () => {
  it.each([
    ['comments', CODE.replace('Doubles.', 'Returns 2x.').replace(' // both', '')],
    ['types', CODE.replace(': number {', ' {')],
    ['lines', CODE.replace('2 * value', '2 *\n    value')],
  ])('is the same after a change of %s', async (_, changed) => {
    const before = await sourceHash(root);
    await writeFile(join(root, 'src/losses/twice.ts'), changed);
    expect(await sourceHash(root)).toBe(before);
  });

  it('is another one after a change of code, or of the name of a file', async () => {
    const before = await sourceHash(root);
    await writeFile(join(root, 'src/losses/twice.ts'), CODE.replace('2 *', '3 *'));
    const changed = await sourceHash(root);
    await writeFile(join(root, 'src/losses/twice.ts'), CODE);
    await writeFile(join(root, 'examples/mnist/experiment/model.ts'), '');
    expect(new Set([before, changed, await sourceHash(root)]).size).toBe(3);
  });

  it('reads this repository', async () => {
    expect(await sourceHash()).toMatch(/^[0-9a-f]{16}$/);
  });
});
