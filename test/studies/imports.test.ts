/** @file Who may import whom in `studies/`, as docs/architecture.md has it. */
import {existsSync} from 'node:fs';
import {posix} from 'node:path';
import {expect, it} from 'vitest';
import {ROOT, sourcesIn} from '../support/sources';

/** Files of `studies/`, with those that they import, types included. */
const imports = new Map(
  sourcesIn('studies', '.ts').map(({path, text}) => [
    path,
    [...text.matchAll(/(?:from|import) '(\.[^']+)'/g)].map(([, to]) =>
      posix.join(posix.dirname(path), `${to as string}.ts`),
    ),
  ]),
);

/** The files of a circle that begins at one, if there is any. */
function circleFrom(path: string, way: string[] = []): string[] | undefined {
  if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
  for (const to of imports.get(path) ?? []) {
    const circle = circleFrom(to, [...way, path]);
    if (circle) return circle;
  }
  return undefined;
}

const folderOf = (path: string) => (path.startsWith('studies/') ? (path.split('/')[1] as string) : '');

/** Folders of one study each. */
const questions = [...new Set([...imports.keys()].map(folderOf))].filter((name) =>
  existsSync(`${ROOT}studies/${name}/report.ts`),
);

it('Imports go in no circles', () => {
  expect([...imports.keys()].map((path) => circleFrom(path)).filter((circle) => circle !== undefined)).toEqual([]);
});

it('Each report belongs to a study, which imports the kit alone', () => {
  expect(questions.sort()).toEqual([
    ...['cost', 'detection', 'epochs', 'hurts', 'labels', 'noise', 'ordered', 'pairs', 'reference'],
    ...['rules', 'segmentation', 'speed', 'tuned'],
  ]);
  for (const name of questions) expect(imports.has(`studies/${name}/study.ts`)).toBe(true);
  const strays = [...imports].flatMap(([path, targets]) =>
    targets
      .filter((to) => questions.includes(folderOf(path)) && folderOf(to) !== '')
      .filter((to) => ![folderOf(path), 'kit'].includes(folderOf(to)))
      .map((to) => `${path} imports ${to}`),
  );
  expect(strays).toEqual([]);
});

it('The kit knows no study, and no command', () => {
  const strays = [...imports].flatMap(([path, targets]) =>
    targets.filter((to) => folderOf(path) === 'kit' && !['', 'kit'].includes(folderOf(to))),
  );
  expect(strays).toEqual([]);
});

it('The imports are found', () => {
  expect(imports.get('studies/cost/study.ts')).toContain('studies/kit/trainTogether.ts');
  expect(imports.get('studies/labels/study.ts')).toContain('studies/labels/record.ts');
});
