import {describe, expect, it} from 'vitest';
import {averagePrecision, HASHED, splitMails, wordsOf} from '../../../studies/epochs/mails';

const mail = (i: number) => ({
  group: i % 3 === 0 ? 'spam-1' : 'hard-ham-1',
  text: `From: a@b\nSubject: Offer ${'x'.repeat(i % 5)}\nDate: now\n\nBuy THIS, buy it! $${i}`,
});

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
    for (let row = 0; row < 10; row++) {
      const squares = test.features.subarray(row * HASHED, (row + 1) * HASHED).reduce((sum, x) => sum + x * x, 0);
      expect(squares).toBeCloseTo(1, 5);
    }
  });

  it('are judged by the mean precision at each of the spam mails', () => {
    expect(averagePrecision([1, 1, 0, 0], [0.9, 0.8, 0.3, 0.1])).toBe(1);
    expect(averagePrecision([0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6])).toBeCloseTo((1 / 2 + 2 / 4) / 2);
    expect(averagePrecision([0, 1], [0.5, 0.5])).toBe(0.5);
    expect(averagePrecision([0, 0], [1, 2])).toBe(0);
  });
});
