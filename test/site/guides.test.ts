import {existsSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {checkGuides, DOCUMENTS, GUIDES} from '../../site/guides';
import {ROOT, sourcesIn} from '../support/sources';

const files = sourcesIn('docs', '.md').map(({path}) => path.slice('docs/'.length));

describe('The guides', () => {
  it('are all documents of the folder, each once', () => {
    expect(() => checkGuides(files)).not.toThrow();
    expect(new Set(DOCUMENTS).size).toBe(DOCUMENTS.length);
    for (const path of DOCUMENTS) expect(existsSync(`${ROOT}${path}`), path).toBe(true);
  });

  it('begin with the tutorial, and end with the architecture and the project', () => {
    expect(DOCUMENTS[0]).toBe('docs/getting-started.md');
    expect(GUIDES.slice(-2).map(({documents}) => documents.at(-1))).toEqual(['docs/architecture.md', 'SECURITY.md']);
  });
});

describe('checkGuides', () => {
  it('names a document that is not in the list', () => {
    expect(() => checkGuides([...files, 'new-guide.md'])).toThrow(
      'site: site/guides.ts must list every document of docs, got none of docs/new-guide.md.',
    );
  });

  it('names a listed document that does not exist', () => {
    expect(() => checkGuides(files.filter((file) => file !== 'faq.md'))).toThrow(
      'site: site/guides.ts must list documents that exist, got docs/faq.md.',
    );
  });
});
