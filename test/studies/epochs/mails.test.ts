import {describe, expect, it} from 'vitest';
import {averagePrecision, HASHED, type Mails, readMails, splitMails, wordsOf} from '../../../studies/epochs/mails';
import {readSource} from '../../support/sources';

const mail = (i: number) => ({
  group: ['spam-1', 'hard-ham-1', 'easy-ham-2'][i % 3] as string,
  text: `From: a@b\nSubject: Offer ${'x'.repeat(i % 5)}\nDate: now\n\nBuy THIS, buy it! $${i}`,
});

/** The features of a mail, as a text. */
const featuresAt = ({features}: Mails, row: number) =>
  Buffer.from(features.slice(row * HASHED, (row + 1) * HASHED).buffer).toString('base64');

describe('The mails of a study', () => {
  it('are the words of their subject and body, not of the headers that tell where they come from', () => {
    expect(wordsOf(mail(0).text)).toEqual(['offer', 'buy', 'this', 'buy', 'it', '!', '$']);
    expect(wordsOf('Subject: only\nTo: a head')).toEqual(['only']);
    expect(wordsOf('\n\nonly a body')).toEqual(['only', 'body']);
  });

  it('are split in the same way each time, a quarter for the test, as vectors of length 1', () => {
    const mails = Array.from({length: 40}, (_, i) => mail(i));
    const {train, test} = splitMails(mails);
    expect([train.count, test.count, train.features.length]).toEqual([30, 10, 30 * HASHED]);
    expect(splitMails(mails)).toEqual({train, test});
    const labels = [...train.labels, ...test.labels];
    expect(labels.filter((label) => label === 1)).toHaveLength(14);
    // 14 of spam, and 13 that are not easily told from it.
    expect([...train.hard, ...test.hard].filter((isHard) => isHard === 1)).toHaveLength(27);
    expect(train.labels.every((label, row) => label === 0 || train.hard[row] === 1)).toBe(true);
    for (let row = 0; row < 10; row++) {
      const squares = test.features.subarray(row * HASHED, (row + 1) * HASHED).reduce((sum, x) => sum + x * x, 0);
      expect(squares).toBeCloseTo(1, 5);
    }
  });

  it('are as many, and as few of them known from training, as the document says', async () => {
    const {train, test} = await readMails();
    const known = new Set(Array.from({length: train.count}, (_, row) => featuresAt(train, row)));
    const rows = Array.from({length: test.count}, (_, row) => row);
    const spam = rows.filter((row) => test.labels[row] === 1);
    const hard = rows.filter((row) => test.hard[row] === 1 && test.labels[row] === 0);
    const isKnown = (row: number) => known.has(featuresAt(test, row));
    expect(hard.filter(isKnown)).toHaveLength(0);
    const counts = `${test.count.toLocaleString('en')} mails, ${spam.length} of spam and ${hard.length} hard ones.`;
    const same = `${rows.filter(isKnown).length} of them have the features of a training mail, none of the hard ones.`;
    expect(readSource('docs/results.md').text.replaceAll('\n', ' ')).toContain(
      `A quarter is test data: ${counts} ${same}`,
    );
  });

  it('are judged by the mean precision at each of the spam mails', () => {
    expect(averagePrecision([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.1])).toBe(1);
    expect(averagePrecision([0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6])).toBeCloseTo((1 / 2 + 2 / 4) / 2);
    expect(averagePrecision([0, 1], [0.5, 0.5])).toBe(0.5);
    expect(averagePrecision([0, 0], [1, 2])).toBe(0);
    // Without the first row, the spam mail is the first.
    expect(averagePrecision([0, 1, 0], [0.9, 0.8, 0.7], [0, 1, 1])).toBe(1);
  });
});
