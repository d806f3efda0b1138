/** @file The figures in the tables of the guides are those of the results in docs/results. */
import {expect, it} from 'vitest';
import {guideTables} from '../support/resultTables';
import {readSource} from '../support/sources';

it.each(guideTables())('$guide has the table of $results, and links to it', ({guide, results, table}) => {
  const {text} = readSource(guide);
  expect(text).toContain(`\n\n${table}\n\n`);
  expect(text).toContain(`](results/${results})`);
});
