import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {duration, progressBar} from '../../../studies/command/progressBar';
import {Screen} from '../../support/screen';

beforeEach(() => {
  vi.useFakeTimers({toFake: ['performance']});
});
afterEach(() => {
  vi.useRealTimers();
});

describe('progressBar', () => {
  it('writes a line for every tenth of a seed where there is no terminal', () => {
    const screen = new Screen();
    const bar = progressBar({name: 'counting', seeds: 2, found: 0}, screen);
    for (let step = 1; step <= 30; step++) {
      vi.advanceTimersByTime(1000);
      bar.show(step / 100);
    }
    bar.stop();
    expect(screen.text.split('\n')).toEqual([
      'counting  0.1 of 2 seeds  3 min left',
      'counting  0.2 of 2 seeds  3 min left',
      'counting  0.3 of 2 seeds  3 min left',
      '',
    ]);
  });

  it('judges the time left by the seeds that it has seen trained', () => {
    const screen = new Screen();
    const bar = progressBar({name: 'counting', seeds: 5, found: 4}, screen);
    vi.advanceTimersByTime(20_000);
    bar.show(4.5);
    expect(screen.text).toBe('counting  4.5 of 5 seeds  20 s left\n');
  });

  it('draws a bar on a terminal', () => {
    const terminal = Object.assign(new Screen(), {isTTY: true, columns: 100, cursorTo: () => {}, clearLine: () => {}});
    const bar = progressBar({name: 'counting', seeds: 2, found: 1}, terminal);
    vi.advanceTimersByTime(1000);
    bar.show(1.5);
    bar.stop();
    expect(terminal.text).toContain('1.0 of 2 seeds  – left');
    expect(terminal.text).toContain('1.5 of 2 seeds  1 s left');
  });
});

describe('duration', () => {
  it('is what people say', () => {
    expect([0.2, 89, 90, 3540, 3600, 11_100, Number.NaN, Number.POSITIVE_INFINITY].map(duration)).toEqual([
      '1 s',
      '89 s',
      '2 min',
      '59 min',
      '1 h 00 min',
      '3 h 05 min',
      '–',
      '–',
    ]);
  });
});
