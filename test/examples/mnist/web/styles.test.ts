import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {themeColors} from '../../../../examples/mnist/report/theme';

const styles = readFileSync(new URL('../../../../examples/mnist/web/styles.css', import.meta.url), 'utf8');
const [light, dark] = [
  ...styles.matchAll(/--page: (.*?);\s+--ink: (.*?);\s+--quiet: (.*?);\s+--line: (.*?);\s+--warning: (.*?);/g),
];

describe('the stylesheet of the page', () => {
  it.each([
    ['light', light],
    ['dark', dark],
  ] as const)('has the colours of the figures in %s', (theme, match) => {
    const {page, ink, quietInk, grid, warning} = themeColors[theme];
    expect(match?.slice(1)).toEqual([page, ink, quietInk, grid, warning]);
  });
});
