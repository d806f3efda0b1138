import {writeFileSync} from 'node:fs';
import {expect} from 'vitest';
import {ROOT, readSource} from './sources';

/**
 * A table that stands between two marks of a document: `<!-- name: begin -->` and
 * `<!-- name: end -->`.
 */
export interface MarkedTable {
  document: string;
  name: string;
  table: string;
}

/**
 * Expects a document to have a table between its marks; where `UPDATE_TABLE` is set, writes it
 * there.
 */
export function expectMarkedTable({document, name, table}: MarkedTable): void {
  const {text} = readSource(document);
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const expected = `${text.split(begin)[0]}${begin}\n${table}\n${end}${text.split(end)[1]}`;
  if (process.env.UPDATE_TABLE) writeFileSync(`${ROOT}${document}`, expected);
  else expect(text, `${document} is out of date: run with UPDATE_TABLE=1`).toBe(expected);
}
