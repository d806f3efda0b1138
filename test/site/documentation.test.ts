import {appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {buildDocumentation} from '../../site/documentation';
import {ROOT} from '../support/sources';

/** A copy of the repository, with one entry point, in which a test can break documents. */
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'site-documents-'));
  const copied = [
    'src',
    'docs',
    'site/assets',
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'LICENSE',
  ];
  for (const path of [...copied, 'package.json', 'tsconfig.json']) {
    cpSync(`${ROOT}${path}`, join(root, path), {recursive: true});
  }
  symlinkSync(`${ROOT}node_modules`, join(root, 'node_modules'));
  const options = JSON.parse(readFileSync(`${ROOT}typedoc.json`, 'utf8'));
  const fewer = {
    ...options,
    entryPoints: ['src/schedules/index.ts'],
    intentionallyNotExported: [],
    skipErrorChecking: true,
  };
  writeFileSync(join(root, 'typedoc.json'), JSON.stringify({...fewer, validation: {notExported: false}}));
});
afterAll(() => rmSync(root, {recursive: true}));

describe('buildDocumentation', () => {
  it('fails on a link, an anchor or a figure that does not exist, and names document and target', async () => {
    appendFileSync(join(root, 'docs/faq.md'), '\nSee [this](no-such-guide.md), ![that](results/no-such-figure.svg)\n');
    appendFileSync(join(root, 'docs/memory.md'), '\nSee [this](concepts.md#no-such-heading).\n');
    const said: string[] = [];
    for (const method of ['warn', 'error'] as const) {
      vi.spyOn(console, method).mockImplementation((...words) => void said.push(words.join(' ')));
    }
    await expect(buildDocumentation(root, join(root, 'out'))).rejects.toThrow(
      'site: TypeDoc must have nothing to report, got the messages above.',
    );
    vi.restoreAllMocks();
    const warned = said.join('\n');
    expect(warned).toMatch(/docs\/faq\.md[\s\S]*no-such-guide\.md/);
    expect(warned).toMatch(/docs\/faq\.md[\s\S]*no-such-figure\.svg/);
    expect(warned).toMatch(/Memory.*concepts\.md#no-such-heading/);
  });
});
