import {execFileSync} from 'node:child_process';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {quotedForShell} from '../../../../examples/mnist/report/quotedForShell';

describe('quotedForShell', () => {
  it('leaves what no shell changes', () => {
    expect(quotedForShell('512/384,512/384-random')).toBe('512/384,512/384-random');
    expect(quotedForShell('/data/mnist')).toBe('/data/mnist');
  });

  it('takes the quotes that Windows knows too, if they do', () => {
    expect(quotedForShell('/my digits')).toBe('"/my digits"');
    expect(quotedForShell('C:\\my digits')).toBe('"C:\\my digits"');
    expect(quotedForShell('$HOME')).toBe("'$HOME'");
  });

  it.skipIf(process.platform === 'win32')('comes out of a shell as it went in', () => {
    const random = fc.sample(
      fc.string({unit: 'grapheme'}).filter((text) => !text.includes('\0')),
      {numRuns: 200, seed: 1},
    );
    const texts = [...random, '', "it's", '"', '\\', '\\\\', 'a\\', '`id`', '$(id)', '!!', '~', '*', '-x', "'\\''"];
    const script = `printf '%s\\0' ${texts.map(quotedForShell).join(' ')}`;
    const printed = execFileSync('sh', ['-c', script], {encoding: 'utf8'});
    expect(printed.split('\0').slice(0, -1)).toEqual(texts);
  });
});
