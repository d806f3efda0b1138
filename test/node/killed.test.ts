/** @file Training runs that are killed at any moment, as by a power cut. */
import {type ChildProcess, spawn} from 'node:child_process';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {build} from 'vite';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {sourceAliases} from '../../sourceAliases';
import {ROOT} from '../support/sources';

let [folder, program] = ['', ''];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ohem-killed-'));
  // Two dozen processes start with it: built once, and where it finds tfjs.
  program = mkdtempSync(join(ROOT, 'node_modules', '.killable-'));
  const ssr = join(ROOT, 'test/support/killable.ts');
  await build({
    configFile: false,
    logLevel: 'warn',
    resolve: {alias: sourceAliases},
    build: {ssr, outDir: program, emptyOutDir: true},
  });
});
afterAll(() => {
  for (const made of [folder, program]) rmSync(made, {recursive: true, force: true});
});

/** Starts the training run; it prints a dot for every step. */
function start(name: string): ChildProcess {
  const [target, result] = [join(folder, name), join(folder, `${name}.json`)];
  const options = {cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] as ('ignore' | 'pipe' | 'inherit')[]};
  return spawn(process.execPath, [join(program, 'killable.js'), target, result], options);
}

const ended = (child: ChildProcess) =>
  new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
const weightsOf = (name: string) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as number[][];

/** Kills it a random time after a number of steps. */
function killAfter(child: ChildProcess, steps: number): void {
  let taken = 0;
  child.stdout?.on('data', (dots: Buffer) => {
    const before = taken;
    taken += dots.toString().replace(/[^.]/g, '').length;
    if (before < steps && taken >= steps) setTimeout(() => child.kill('SIGKILL'), Math.random() * 6);
  });
}

describe('A training run that is killed 20 times', () => {
  it('ends at the weights at which it would have ended undisturbed', async () => {
    expect(await ended(start('whole'))).toBeNull();
    let kills = 0;
    while (kills < 20) {
      const child = start('killed');
      killAfter(child, 1 + Math.floor(Math.random() * 7));
      expect(await ended(child)).toBe('SIGKILL');
      kills++;
    }
    expect(existsSync(join(folder, 'killed.json'))).toBe(false);
    expect(await ended(start('killed'))).toBeNull();
    expect(weightsOf('killed')).toEqual(weightsOf('whole'));
    expect(readdirSync(join(folder, 'killed'))).toEqual(['training.ohem']);
  }, 900_000);
});

describe('Three processes that save to one folder', () => {
  it('do not disturb each other', async () => {
    expect(await ended(start('alone'))).toBeNull();
    const children = [start('shared'), start('shared'), start('shared')];
    const codes = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    expect(await Promise.all(codes)).toEqual([0, 0, 0]);
    expect(weightsOf('shared')).toEqual(weightsOf('alone'));
    expect(readdirSync(join(folder, 'shared'))).toEqual(['training.ohem']);
  }, 300_000);
});
