import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {mkdir, mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Results} from '../../../../examples/mnist/experiment/results';
import {expectClose} from '../../../support/close';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs the command in a process of its own; `onOutput` sees all that it has printed so far. */
function run(argv: string[], onOutput?: (stdout: string, child: ChildProcess) => void): Promise<Ended> {
  // Not through npm or npx: a signal has to reach the process itself.
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/mnist/cli.ts', ...argv], {cwd: root});
  const printed = {stdout: '', stderr: ''};
  child.stdout.on('data', (chunk: Buffer) => {
    printed.stdout += chunk;
    onOutput?.(printed.stdout, child);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    printed.stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({code, signal, ...printed}));
  });
}

const resultsIn = async (folder: string): Promise<Results> =>
  JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));

/** Sends a signal when a line of progress is printed, once. */
function signalAt(line: RegExp, signal: NodeJS.Signals) {
  let sent = false;
  return (stdout: string, child: ChildProcess) => {
    if (sent || !line.test(stdout)) return;
    sent = true;
    child.kill(signal);
  };
}

describe('npm run mnist', () => {
  const experiment = ['--steps', '20', '--runs', '32/24,32/24-random', '--digits', '120', '--lr', '0.003'];
  let folder: string;
  let whole: Ended;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ohem-mnist-'));
    whole = await run([...experiment, '--out', join(folder, 'whole')]);
  });
  afterAll(() => rm(folder, {recursive: true}));

  it('prints progress, a table, and where it wrote everything', () => {
    expect(whole.stderr).toBe('');
    expect(whole.code).toBe(0);
    expect(whole.stdout).toMatch(/^32\/24 {9}20\/20 {2}loss 0\.\d{3} {2}accuracy +\d+\.\d % +\d+ ms\/step$/m);
    expect(whole.stdout).toMatch(/^32\/24 random +32 +24 +\d+\.\d % +\d+\.\d % +0\.\d{3} +\d+\.\d ms +75 %$/m);
    expect(whole.stdout).toContain(join(folder, 'whole', 'report.html'));
    expect(whole.stdout).not.toContain('Hi, looks like you are running TensorFlow.js');
  });

  it('says at the start and at the end that drawn digits are not MNIST', () => {
    const [start = '', rest = ''] = whole.stdout.split('Runs: ');
    const [, end = ''] = rest.split('───\n');
    expect(start).toContain('not MNIST');
    expect(end).toContain('not MNIST');
  });

  it('writes the results, the report and both figures', async () => {
    expect((await readdir(join(folder, 'whole'))).sort()).toEqual([
      'checkpoint.json',
      'figure-1.png',
      'figure-1.svg',
      'figure-2.png',
      'figure-2.svg',
      'report.html',
      'results.json',
    ]);
    const {settings, data, versions, runs} = await resultsIn(join(folder, 'whole'));
    expect(settings).toEqual({
      steps: 20,
      learningRate: 0.003,
      seed: 1,
      backend: 'wasm',
      runs: ['32/24', '32/24 random'],
    });
    expect(data).toMatchObject({source: 'drawn', trainCount: 120, testCount: 20});
    expect(versions).toEqual({ohem: '1.0.0-rc.0', tfjs: '4.22.0', node: process.versions.node});
    expect(runs.map(({steps}) => steps.length)).toEqual([20, 20]);
  });

  it('ends with the same curves after Ctrl-C and after being killed', async () => {
    const broken = join(folder, 'broken');
    const stopped = await run([...experiment, '--out', broken], signalAt(/^32\/24 +4\/20/m, 'SIGINT'));
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toMatch(/Stopped at run 1 of 2, step \d+ of 20\. Resume with: npm run mnist -- --resume/);

    const resume = ['--resume', broken, '--save-every', '0'];
    const killed = await run(resume, signalAt(/^32\/24 random +10\/20/m, 'SIGKILL'));
    expect(killed.signal).toBe('SIGKILL');
    expect(killed.stdout).toMatch(/^Resuming at run 1 of 2, step \d+ of 20$/m);

    const ended = await run(['--resume', broken]);
    expect(ended.stderr).toBe('');
    expect(ended.stdout).toMatch(/^Resuming at run 2 of 2, step \d+ of 20$/m);

    const curves = ({runs}: Results) => runs.map(({msPerStep: _, ...rest}) => rest);
    expect(curves(await resultsIn(broken))).toStrictEqual(curves(await resultsIn(join(folder, 'whole'))));
  });

  it('says how many threads run, and ends with the curves of one', async () => {
    const out = join(folder, 'threads');
    const {code, stdout, stderr} = await run([...experiment, '--threads', '2', '--out', out]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Threads: 2$/m);
    expect(whole.stdout).not.toContain('Threads');
    const losses = ({runs}: Results) => runs.flatMap(({batchLoss}) => batchLoss);
    expectClose(losses(await resultsIn(out)), losses(await resultsIn(join(folder, 'whole'))), {
      absolute: 1e-5,
      relative: 1e-5,
    });
  });

  it('ends with 2 if threads are requested for the cpu backend', async () => {
    const {code, stderr} = await run([
      ...['--digits', '60', '--runs', '8/8', '--backend', 'cpu', '--threads', '2', '--out', join(folder, 'cpu')],
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('mnist: --threads must be 1 on cpu, got 2.');
  });

  it('only writes the report again where all runs are over', async () => {
    await rm(join(folder, 'whole', 'report.html'));
    const before = await resultsIn(join(folder, 'whole'));
    const {code, stdout} = await run(['--resume', join(folder, 'whole')]);
    expect(code).toBe(0);
    expect(stdout).toContain('All runs were over already: only the report is written again');
    expect(stdout).not.toContain('ms/step');
    expect(await resultsIn(join(folder, 'whole'))).toEqual(before);
    expect(await readdir(join(folder, 'whole'))).toContain('report.html');
  });

  it('writes over no finished experiment that was named', async () => {
    const before = await resultsIn(join(folder, 'whole'));
    const {code, stderr} = await run([...experiment, '--seed', '2', '--out', join(folder, 'whole')]);
    expect(code).toBe(2);
    expect(stderr).toContain('mnist: --out must not hold a finished experiment, got one in');
    expect(await resultsIn(join(folder, 'whole'))).toEqual(before);
  });

  it('refuses a FIFO in the place of digits, and leaves no folder for the results', async () => {
    const data = join(folder, 'data');
    await mkdir(data);
    execFileSync('mkfifo', [join(data, 'train-images-idx3-ubyte.gz')]);
    const {code, stderr} = await run(['--data', data, '--any-digits', '--out', join(folder, 'unused')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ must be a regular file, got a FIFO\. Get the file again\.\n$/);
    expect(await readdir(folder)).not.toContain('unused');
  });

  it('prints its help', async () => {
    const {code, stdout} = await run(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('--resume DIR');
  });

  it('ends with 2 and one line where it was called wrongly', async () => {
    const {code, stdout, stderr} = await run(['--steps', 'abc']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe('mnist: --steps must be an integer >= 1, got abc.\nSee: npm run mnist -- --help\n');
  });

  it('ends with 2 where a batch is larger than the training set', async () => {
    const {code, stderr} = await run(['--digits', '60', '--runs', '64/8', '--out', join(folder, 'large')]);
    expect(code).toBe(2);
    expect(stderr).toContain('mnist: --runs must have n <= 60, the number of digits to train on, got 64/8.');
  });

  it('ends with 1 and one line where the training fails', async () => {
    const {code, stderr} = await run([
      ...['--digits', '60', '--runs', '8/8', '--lr', '1e38', '--out', join(folder, 'diverged')],
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^trainRun: losses must stay finite, got none that is at step \d of 8\/8\. A smaller --lr may help\.\n$/,
    );
  });

  it('ends with 1 and one line where it cannot write', async () => {
    const file = join(folder, 'whole', 'results.json');
    const {code, stderr} = await run(['--digits', '60', '--runs', '8/8', '--steps', '1', '--out', file]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^mnist: --out must be a folder that can be written to, got .*results\.json \(E.*\)\.\n$/);
  });
});
