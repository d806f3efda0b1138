import '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-layers';
import {setBackend} from '@tensorflow/tfjs-core';
import {enableWasmTraining} from 'ohem-tfjs/wasm';
import {describe, expect, it} from 'vitest';
import type {DigitData} from '../../../../../examples/mnist/data/digits';
import type {Backend, RunResult, Settings} from '../../../../../examples/mnist/experiment/results';
import {sideBySide} from '../../../../../examples/mnist/experiment/sideBySide';
import type {FromWorker} from '../../../../../examples/mnist/web/protocol';
import {beginSession} from '../../../../../examples/mnist/web/worker/session';
import {tinyDigits, tinySettings} from '../../experiment/tinyDigits';

const digits: DigitData = {...tinyDigits(), source: 'drawn', description: 'tiny'};
type Said<T extends FromWorker['type']> = Extract<FromWorker, {type: T}>;

/**
 * A session whose backends are all wasm under other names; each can be lost, or refuse to start.
 */
function begin(settings: Partial<Settings> = {}, {isPaused = false, broken = [] as Backend[]} = {}) {
  const said: FromWorker[] = [];
  const left: Backend[] = ['webgl', 'wasm', 'cpu'];
  let lose = (_: Error) => {};
  let tell = () => {};
  const session = beginSession({
    digits,
    settings: tinySettings({runs: ['8/4', '8/4 random'], steps: 6, backend: 'webgl', ...settings}),
    shown: 0,
    isPaused,
    async load(backend) {
      if (broken.includes(backend)) throw new Error(`${backend} is broken.`);
      enableWasmTraining();
      await setBackend('wasm');
      const lost = new Promise<never>((_, reject) => {
        lose = reject;
      });
      lost.catch(() => {});
      return {lost};
    },
    strikeOff(backend) {
      left.splice(left.indexOf(backend), 1);
      return left[0];
    },
    post(message) {
      said.push(message);
      tell();
    },
  });
  const all = <T extends FromWorker['type']>(type: T) =>
    said.filter((message): message is Said<T> => message.type === type);
  /** Waits until a number of messages of a kind have come. */
  const until = async (type: FromWorker['type'], count = 1) => {
    while (all(type).length < count) {
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
    }
  };
  return {session, all, until, lose: (message: string) => lose(new Error(message))};
}

const stepsOf = (said: Said<'stepped'>[]) => said.map(({run, step}) => `${run}:${step}`);

describe('beginSession', () => {
  it('trains all runs to their end, and shows one from inside', async () => {
    const {session, all, until} = begin();
    await until('finished');
    expect(all('stepped')).toHaveLength(12);
    const view = all('view').at(-1)?.view;
    expect(view).toMatchObject({run: 0, step: 6});
    expect(view?.hardest).toHaveLength(8);
    expect(view?.hardest.filter(({kept}) => kept)).toHaveLength(4);
    expect(view?.picture).toMatchObject({count: 8, side: 28});
    expect(view?.picture.kept.reduce((sum, kept) => sum + kept, 0)).toBe(4);
    expect(view?.histograms.batch.reduce((sum, count) => sum + count)).toBe(8);
    const losses = view?.hardest.map(({loss}) => loss) ?? [];
    expect(losses).toEqual([...losses].sort((a, b) => b - a));
    // 6 batches of 8 over 40 rows: what was mined, was mined once or twice.
    expect(view?.mostMined[0]).toMatchObject({mined: 2, seen: 2});
    session.show(1);
    await until('view', all('view').length + 1);
    expect(all('view').at(-1)?.view).toMatchObject({run: 1, step: 6});
    await session.end();
  });

  it('measures after the first steps, and gives the curves of the experiment', async () => {
    const {session, all, until} = begin({steps: 12});
    await until('finished');
    const live = all('stepped').at(-1)?.testAccuracy ?? [];
    expect(live.map(({step}) => step)).toEqual([0, 1, 2, 4, 5, 6, 8, 10, 12]);
    await session.end();
    const usual: RunResult[] = [];
    const settings = tinySettings({runs: ['8/4', '8/4 random'], steps: 12});
    for await (const {index, result} of sideBySide(digits, settings)) usual[index] = structuredClone(result);
    const losses = (run: number) =>
      all('stepped')
        .filter((said) => said.run === run)
        .map(({selectedLoss}) => selectedLoss);
    expect([0, 1].map(losses)).toEqual(usual.map(({selectedLoss}) => selectedLoss));
    expect(live).toEqual(expect.arrayContaining(usual[1]?.testAccuracy ?? []));
  });

  it('takes a step of each run when told, and none while it is paused', async () => {
    const {session, all, until} = begin({}, {isPaused: true});
    await until('paused');
    expect(all('stepped')).toEqual([]);
    session.step();
    await until('paused', 2);
    expect(stepsOf(all('stepped'))).toEqual(['0:1', '1:1']);
    session.resume();
    await until('stepped', 3);
    session.pause();
    await until('paused', 3);
    const taken = all('stepped').length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(all('stepped')).toHaveLength(taken);
    await session.end();
  });

  it('continues where it was on another backend, with all its curves', async () => {
    const {session, all, until} = begin();
    await until('stepped', 3);
    session.switchTo('wasm');
    await until('running', 2);
    const {backend, runs} = all('running')[1] as Said<'running'>;
    expect(backend).toBe('wasm');
    const before = all('stepped').slice(
      0,
      runs.reduce((sum, {selectedLoss}) => sum + selectedLoss.length, 0),
    );
    expect(runs.map(({selectedLoss}) => selectedLoss)).toEqual(
      [0, 1].map((index) => before.filter(({run}) => run === index).map(({selectedLoss}) => selectedLoss)),
    );
    await until('finished');
    expect(stepsOf(all('stepped'))).toEqual([1, 2, 3, 4, 5, 6].flatMap((step) => [`0:${step}`, `1:${step}`]));
    await session.end();
  });

  it('continues from the last copy on the next backend when a GPU is lost', async () => {
    const {session, all, until, lose} = begin();
    await until('stepped', 5);
    session.pause();
    await until('paused');
    const taken = all('stepped').length;
    lose('The GPU is gone.');
    await until('running', 2);
    expect(all('backendFailed')).toEqual([
      {type: 'backendFailed', backend: 'webgl', message: 'The GPU is gone.', next: 'wasm'},
    ]);
    const {runs} = all('running')[1] as Said<'running'>;
    expect(runs.reduce((sum, {selectedLoss}) => sum + selectedLoss.length, 0)).toBe(taken);
    session.resume();
    await until('finished');
    expect(all('stepped')).toHaveLength(12);
    await session.end();
  });

  it('passes over backends that do not start, and says so when none is left', async () => {
    const {session, all, until} = begin({}, {broken: ['webgl', 'wasm', 'cpu']});
    await until('backendFailed', 3);
    expect(all('backendFailed').map(({backend, next}) => [backend, next])).toEqual([
      ['webgl', 'wasm'],
      ['wasm', 'cpu'],
      ['cpu', undefined],
    ]);
    await session.end();
  });

  it('stops when training diverges, and says what to do', async () => {
    const {session, all, until} = begin({learningRate: 1e38});
    await until('failed');
    expect(all('failed')[0]?.message).toMatch(/losses must stay finite.* Reset, and try a smaller learning rate\.$/);
    await session.end();
  });
});
