/**
 * @file The example in threads and processes of its own, which take a second each to start: one
 *   chain of them.
 */
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, it, vi} from 'vitest';
import {runNetwork} from '../../../examples/shards/network/runNetwork';
import {shards} from '../../../examples/shards/node/shards';
import {runThreads} from '../../../examples/shards/threads/runThreads';
import {readCheckpoint} from '../../../examples/shards/training/checkpoint';
import {tinySettings} from './tinySettings';

// Enough steps that a shard is ended before it has taken them all, also while this process waits
// for its turn.
const settings = tinySettings({steps: 200});
const TYPED = '--rows 24 --k 7 --steps 200 --hidden 5 --digits 60 --mode network --resume --save-every 5'.split(' ');
const END = 'shards: shard 1 must stay until all have finished, got its end at step';

it('A thread is ended, then a process is killed: each time all end with a name, and the rest ends where one process does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shards-'));
  const checkpoints = {folder, every: 5};
  const printed: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    let end = () => {};
    const threads = runThreads(settings, {
      checkpoints,
      onThreads: ([, second]) => {
        end = () => void second?.terminate();
      },
      onStep: (step) => step === 12 && end(),
    });
    await expect(threads).rejects.toThrow(END);
    const before = (await readCheckpoint(folder, settings))?.step ?? 0;
    expect(before).toBeGreaterThanOrEqual(10);
    // Threads and processes exchange other messages, and end at the same bits, so the checkpoint
    // is for both.
    const processes = runNetwork(settings, {
      ...{checkpoints, resume: true},
      onProcesses: ([, second]) => {
        end = () => void second?.kill('SIGKILL');
      },
      onStep: (step) => step === before + 7 && end(),
    });
    await expect(processes).rejects.toThrow(END);
    expect((await readCheckpoint(folder, settings))?.step).toBeGreaterThanOrEqual(before + 5);
    const json = join(folder, 'figures.json');
    expect(await shards([...TYPED, '--checkpoints', folder, '--json', json])).toBe(0);
    const {runs} = JSON.parse(await readFile(json, 'utf8')) as {runs: {how: string; difference: number}[]};
    expect(runs.map(({how}) => how)).toEqual(['one process', 'network']);
    expect(runs[1]?.difference).toBeLessThan(1e-5);
    expect(printed.join('')).toMatch(/network +2 .* yes\n/);
  } finally {
    write.mockRestore();
    await rm(folder, {recursive: true});
  }
});

it('A checkpoint that cannot be written, or is of another run, ends all before any training, with no word of --resume', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shards-'));
  try {
    const file = join(folder, 'file');
    await writeFile(file, '');
    for (const mode of ['threads', 'network']) {
      const started = shards(['--mode', mode, '--checkpoints', file]);
      await expect(started).rejects.toThrow(
        /^shards: the checkpoint must be a file that can be written, got E[^.]*\.$/,
      );
    }
    await writeFile(join(folder, 'training.shards'), 'damaged');
    const resumed = shards(['--mode', 'network', '--resume', '--checkpoints', folder]);
    await expect(resumed).rejects.toThrow(/^shards: the checkpoint must be whole, got a damaged [^ ]*\.$/);
    // A shard that finds it out by itself, before it joins, is heard too.
    const network = runNetwork(settings, {checkpoints: {folder, every: 5}, resume: true});
    await expect(network).rejects.toThrow('shards: the checkpoint must be whole, got a damaged');
  } finally {
    await rm(folder, {recursive: true});
  }
});
