import {expect, it} from 'vitest';
import {watchInterrupts} from '../../../../examples/mnist/node/interrupt';

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('watchInterrupts notes %s once, and leaves a second one to Node', (signal, code) => {
  const listeners = process.listenerCount(signal);
  const watch = watchInterrupts();
  expect(watch.exitCode()).toBeUndefined();
  process.emit(signal, signal);
  expect(watch.exitCode()).toBe(code);
  expect(process.listenerCount(signal)).toBe(listeners);
});

it('watchInterrupts stops watching', () => {
  const listeners = process.listenerCount('SIGINT');
  const watch = watchInterrupts();
  expect(process.listenerCount('SIGINT')).toBe(listeners + 1);
  watch.stop();
  watch.stop();
  expect(process.listenerCount('SIGINT')).toBe(listeners);
});
