import {expect, it} from 'vitest';
import {llmsText} from '../../release/llmsText';
import {readSource, sourcesIn} from '../support/sources';

it('llms.txt is current: npm run llms writes it', () => {
  expect(readSource('llms.txt').text).toBe(llmsText());
});

it('names every document', () => {
  const documents = sourcesIn('docs', '.md').filter(({path}) => /^docs\/[\w-]+\.md$/.test(path));
  expect(documents.length).toBeGreaterThan(15);
  for (const {path} of documents) expect(llmsText()).toContain(`](${path})`);
});
