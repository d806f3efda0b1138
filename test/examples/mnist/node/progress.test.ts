import {describe, expect, it} from 'vitest';
import {progressDisplay} from '../../../../examples/mnist/node/progress';
import {Screen} from '../../../support/screen';
import {exampleCheckpoint} from './exampleCheckpoint';

const terminal = () => Object.assign(new Screen(), {isTTY: true});
const {settings, state} = exampleCheckpoint();

const progress = (index: number, step: number) => ({
  index,
  step,
  ms: 77.4,
  selectedLoss: 0.45678,
  testAccuracy: 0.8812,
  msPerStep: 77.4,
});

describe('progressDisplay in a file', () => {
  it('writes a line for every tenth of a run', () => {
    const screen = new Screen();
    const display = progressDisplay({...settings, steps: 25}, [], screen);
    for (let step = 1; step <= 25; step++) display.show(progress(1, step));
    display.stop();
    const lines = screen.text.trimEnd().split('\n');
    expect(lines.map((line) => /\d+\/25/.exec(line)?.[0])).toEqual(
      [3, 6, 9, 12, 15, 18, 21, 24, 25].map((step) => `${step}/25`),
    );
    expect(lines[0]).toBe('8/4 random   3/25  loss 0.457  accuracy 88.1 %   77 ms/step');
  });

  it('writes a line for every step of a short run', () => {
    const screen = new Screen();
    const display = progressDisplay({...settings, steps: 2}, [], screen);
    display.show(progress(0, 1));
    display.show(progress(0, 2));
    expect(screen.text.split('\n')).toHaveLength(3);
    expect(screen.text).not.toContain('\u001b');
  });
});

describe('progressDisplay on a terminal', () => {
  it('shows a bar for each run, with loss and accuracy, and hands the cursor back', () => {
    const screen = terminal();
    const display = progressDisplay(settings, [], screen);
    display.show(progress(0, 3));
    display.show(progress(1, 1));
    display.stop();
    const [first, second] = screen.text.split('\n').slice(-3);
    expect(first).toMatch(/8\/4 {9}█+ {2}3\/3 {2}loss 0\.457 {2}accuracy 88\.1 % {3}77 ms\/step/);
    expect(second).toMatch(/8\/4 random {2}█+░+ {2}1\/3 {2}loss 0\.457 {2}accuracy 88\.1 % {3}77 ms\/step/);
    expect(screen.text).toContain('\u001b[?25h');
  });

  it('shows runs that were over before as full', () => {
    const screen = terminal();
    progressDisplay(settings, state.finished, screen).stop();
    expect(screen.text).toMatch(/8\/4 {9}█+ {2}3\/3 {2}loss 0\.457 {2}accuracy 10\.0 % {3}11 ms\/step/);
    expect(screen.text).toMatch(/8\/4 random {2}░+ {2}0\/3/);
  });

  it.each([30, 80, 200])('keeps the bar between 8 and 30 characters on %i columns', (columns) => {
    const screen = Object.assign(terminal(), {columns});
    progressDisplay(settings, [], screen).stop();
    const bar = /░+/.exec(screen.text)?.[0].length;
    expect(bar).toBeGreaterThanOrEqual(8);
    expect(bar).toBeLessThanOrEqual(30);
  });
});
