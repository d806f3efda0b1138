import {describe, expect, it} from 'vitest';
import {textWidth} from '../../../../examples/mnist/report/textWidth';

describe('textWidth', () => {
  it('adds up the widths of DejaVu Sans, in which a digit takes 0.64 of the font size', () => {
    expect(textWidth('0123456789', 10)).toBeCloseTo(64);
  });

  it('takes narrow characters for narrow, and bold ones for wider', () => {
    expect(textWidth('ill', 12)).toBeLessThan(textWidth('mmm', 12));
    expect(textWidth('mmm', 12, {bold: true})).toBeGreaterThan(textWidth('mmm', 12));
  });
});
