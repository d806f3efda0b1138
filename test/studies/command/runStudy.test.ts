import {type ChildProcess, spawn} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {writeFileAtomically} from '../../../examples/mnist/node/atomicWrite';
import {type RunStudyOptions, runStudy} from '../../../studies/command/runStudy';
import {NO_PARTS} from '../../../studies/kit/parts';
import type {Study} from '../../../studies/kit/study';
import {type CountingOptions, countingProvenance, countingStudy, noDigits} from '../../support/countingStudy';
import {Screen} from '../../support/screen';
import {ROOT} from '../../support/sources';

const counted = (seed: number) => Array.from({length: 10}, (_, step) => 100 * seed + step + 1);
const WHOLE = [counted(1), counted(2), counted(3)];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ohem-study-'));
});
afterAll(() => rm(root, {recursive: true}));

let folder: string;
let screen: Screen;
let log: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'study-'));
  screen = new Screen();
  log = [];
});

const run = (options: Partial<RunStudyOptions> = {}, counting: CountingOptions = {}) =>
  runStudy({
    study: countingStudy({log, ...counting}),
    provenance: countingProvenance(),
    digits: noDigits,
    seeds: 3,
    folder,
    output: screen,
    ...options,
  });

const seedFile = (seed: number) => join(folder, `seed-${seed}.json`);

describe('runStudy', () => {
  it('trains every seed, and writes a file for each', async () => {
    expect(await run()).toEqual({seeds: WHOLE});
    expect(log).toEqual(['seed 1', 'over', 'seed 2', 'over', 'seed 3', 'over']);
    expect((await readdir(folder)).sort()).toEqual(['seed-1.json', 'seed-2.json', 'seed-3.json']);
    expect(screen.text).toMatch(/^counting {2}1\.5 of 3 seeds {2}\d+ s left$/m);
  });

  it('trains nothing where all seeds are there, and only what is missing where some are', async () => {
    await run({seeds: 2});
    log.length = 0;
    expect(await run()).toEqual({seeds: WHOLE});
    expect(log).toEqual(['seed 3', 'over']);
    expect(screen.text).toContain(`Found 2 of 3 seeds in ${folder}\n`);
    log.length = 0;
    expect(await run()).toEqual({seeds: WHOLE});
    expect(log).toEqual([]);
  });

  it('takes seeds along that an earlier call has left beyond the requested ones', async () => {
    await run();
    log.length = 0;
    expect(await run({seeds: 1})).toEqual({seeds: WHOLE});
    expect(screen.text).toContain(`Found 3 of 3 seeds in ${folder}\n`);
    expect(log).toEqual([]);
  });

  it('stops after the step in which it is aborted, and leaves the seeds that are whole', async () => {
    let steps = 0;
    const exitCode = () => (++steps === 14 ? 130 : undefined);
    expect(await run({exitCode})).toEqual({exitCode: 130});
    expect(log).toEqual(['seed 1', 'over', 'seed 2', 'over']);
    expect(await readdir(folder)).toEqual(['seed-1.json']);
  });

  it.each([
    ['cut', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['changed', (text: string) => text.replace('205', '206')],
    ['of something else', () => '[1, 2]'],
  ])('names a file that is %s, sets it aside, and trains its seed again', async (_, damage) => {
    await run();
    const damaged = damage(await readFile(seedFile(2), 'utf8'));
    await writeFile(seedFile(2), damaged);
    log.length = 0;
    expect(await run()).toEqual({seeds: WHOLE});
    expect(log).toEqual(['seed 2', 'over']);
    expect(screen.text).toContain(`study: ${seedFile(2)} must be whole, got a damaged`);
    expect(screen.text).toContain(`It is set aside as ${seedFile(2)}.damaged, and seed 2 is run again.\n`);
    expect(await readFile(`${seedFile(2)}.damaged`, 'utf8')).toBe(damaged);
  });

  it.each([
    ['settings', {settings: {steps: 10, by: 'two'}}, 'settings.by "two", got "one"'],
    ['numbers of steps', {settings: {steps: 20, by: 'one'}}, 'settings.steps 20, got 10'],
    ['versions', {versions: {tfjs: '4.23.0', node: '20.0.0'}}, 'versions.tfjs "4.23.0", got "4.22.0"'],
    ['version lists', {versions: {tfjs: '4.22.0', node: '20.0.0', cpu: 'x'}}, 'versions.cpu "x", got none'],
    ['studies', {study: 'adding'}, 'study "adding", got "counting"'],
  ])('refuses seeds of other %s before it trains anything', async (_, changes, difference) => {
    await run({seeds: 2});
    const before = await readFile(seedFile(2), 'utf8');
    await rm(seedFile(1));
    log.length = 0;
    await expect(run({provenance: countingProvenance(changes)})).rejects.toThrow(
      `study: ${seedFile(2)} must be made with ${difference}. Runs of different settings or versions do not go into ` +
        'one figure: give another --out.',
    );
    expect(log).toEqual([]);
    expect(await readFile(seedFile(2), 'utf8')).toBe(before);
  });

  it('takes seeds that other code has made, and says so once', async () => {
    const before = countingProvenance({source: 'a1'});
    await run({seeds: 1, provenance: before});
    await run({seeds: 2});
    const text = screen.text;
    expect(await run({provenance: countingProvenance({source: 'b2'})})).toEqual({seeds: WHOLE});
    expect(screen.text.slice(text.length).match(/.*code.*/g)).toEqual([
      'Made by other code than this: seed 1. Made before files named their code: seed 2. They are kept; this code ' +
        'may give other numbers for them. For results of one code give another --out.',
    ]);
    expect(JSON.parse(await readFile(seedFile(3), 'utf8')).source).toBe('b2');
  });

  it('takes seeds that another version of the package has made: the code tells them apart', async () => {
    const versionsOf = (ohem: string) => ({...countingProvenance().versions, ohem});
    await run({seeds: 1, provenance: countingProvenance({versions: versionsOf('1.0.0'), source: 'a1'})});
    const provenance = countingProvenance({versions: versionsOf('1.1.0'), source: 'b2'});
    expect(await run({provenance})).toEqual({seeds: WHOLE});
    expect(screen.text).toContain('Made by other code than this: seed 1.');
    expect(JSON.parse(await readFile(seedFile(1), 'utf8')).versions.ohem).toBe('1.0.0');
  });

  it('says nothing of code if it is the same', async () => {
    const provenance = countingProvenance({source: 'a1'});
    await run({seeds: 2, provenance});
    await run({provenance});
    expect(screen.text).not.toContain('code');
  });

  it('refuses a file that belongs to another seed', async () => {
    await run({seeds: 1});
    await writeFile(seedFile(2), await readFile(seedFile(1)));
    await expect(run()).rejects.toThrow(`study: ${seedFile(2)} must be made with seed 2, got 1.`);
  });

  it('says what to do where the disk is full, and resumes from there when it is not any more', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
    const write: typeof writeFileAtomically = (path, data) =>
      path.includes('seed-2') ? Promise.reject(full) : writeFileAtomically(path, data);
    await expect(run({write})).rejects.toThrow(
      `study: --out must be a folder that can be written to, got ${folder} (ENOSPC: no space left on device, write). ` +
        'Seed 2 is lost, seeds that were written are not: put that right, and give the same command again.',
    );
    expect(await readdir(folder)).toEqual(['seed-1.json']);
    log.length = 0;
    expect(await run()).toEqual({seeds: WHOLE});
    expect(log).toEqual(['seed 2', 'over', 'seed 3', 'over']);
  });

  it('passes on the error of a training run, and has ended the run', async () => {
    const pause = async () => {
      throw new Error('out of luck');
    };
    await expect(run({}, {pause})).rejects.toThrow('out of luck');
    expect(log).toEqual(['seed 1', 'over']);
  });
});

describe('Parts of a seed', () => {
  /** Counts by way of parts: one that all seeds have, and one for every second step. */
  const inParts = (): Study<number[]> => ({
    ...countingStudy(),
    async *train(seed, _, {steps}, parts = NO_PARTS) {
      let base = await parts.ofStudy.find<number>('base');
      if (base === undefined) {
        log.push('base');
        base = 100;
        await parts.ofStudy.keep('base', base);
      }
      const counted: number[] = [];
      for (let step = 1; step <= steps; step += 2) {
        let two = await parts.ofSeed.find<number[]>(`step-${step}`);
        if (!two) {
          log.push(`seed ${seed}, step ${step}`);
          two = [base * seed + step, base * seed + step + 1];
          await parts.ofSeed.keep(`step-${step}`, two);
        }
        counted.push(...two);
        yield step / steps;
      }
      return counted;
    },
  });
  const stopped = (after: number) => {
    let steps = 0;
    return () => (++steps === after ? 130 : undefined);
  };

  it('are found by the next call, and removed when the seed is whole; those of all seeds stay', async () => {
    expect(await run({study: inParts(), exitCode: stopped(3)})).toEqual({exitCode: 130});
    expect((await readdir(folder)).sort()).toEqual([
      'part-base.json',
      ...[1, 3, 5].map((step) => `seed-1-part-step-${step}.json`),
    ]);
    log.length = 0;
    expect(await run({study: inParts(), seeds: 1})).toEqual({seeds: [counted(1)]});
    expect(log).toEqual(['seed 1, step 7', 'seed 1, step 9']);
    expect((await readdir(folder)).sort()).toEqual(['part-base.json', 'seed-1.json']);
    log.length = 0;
    expect(await run({study: inParts()})).toEqual({seeds: WHOLE});
    expect(log).not.toContain('base');
  });

  it('are made again where they are damaged, refused where their settings are others, and named where their code is', async () => {
    const provenance = countingProvenance({source: 'a1'});
    await run({study: inParts(), exitCode: stopped(2), provenance});
    const part = join(folder, 'seed-1-part-step-1.json');
    await writeFile(part, (await readFile(part, 'utf8')).replace('101', '102'));
    log.length = 0;
    const other = countingProvenance({source: 'b2'});
    expect(await run({study: inParts(), seeds: 1, provenance: other})).toEqual({seeds: [counted(1)]});
    expect(log.slice(0, 1)).toEqual(['seed 1, step 1']);
    expect(screen.text).toContain(`It is set aside as ${part}.damaged, and its part is made again.\n`);
    expect(screen.text).toContain('Made by other code than this: part base, part step-3.');
    const changed = countingProvenance({settings: {steps: 10, by: 'two'}});
    await rm(seedFile(1));
    await expect(run({study: inParts(), provenance: changed})).rejects.toThrow(
      `study: ${join(folder, 'part-base.json')} must be made with settings.by "two", got "one".`,
    );
  });

  it('that cannot be written are named, with what to do', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {code: 'ENOSPC'});
    await expect(run({study: inParts(), write: () => Promise.reject(full)})).rejects.toThrow(
      /Part base is lost, parts that were written are not: put that right, and give the same command again\.$/,
    );
  });
});

/** Runs the study in a process of its own, and sends a signal when it says how far it is. */
function child(line: RegExp, signal: NodeJS.Signals): Promise<{code: number | null; signal: NodeJS.Signals | null}> {
  const process_: ChildProcess = spawn(process.execPath, ['--import', 'tsx', 'test/support/killableStudy.ts', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  let sent = false;
  process_.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk;
    // Once: a second signal would end the process in the middle of a step.
    if (!sent && line.test(printed)) sent = process_.kill(signal);
  });
  return new Promise((resolve) => process_.once('exit', (code, by) => resolve({code, signal: by})));
}

describe('A study that is', () => {
  it.each([
    ['killed', 'SIGKILL', {code: null, signal: 'SIGKILL'}],
    ['interrupted', 'SIGINT', {code: 130, signal: null}],
    ['ended', 'SIGTERM', {code: 143, signal: null}],
  ] as const)('%s loses no more than the seed in progress', async (_, signal, ending) => {
    expect(await child(/^counting {2}1\.5 of 3/m, signal)).toEqual(ending);
    expect(await readdir(folder)).toEqual(['seed-1.json']);
    expect(await run()).toEqual({seeds: WHOLE});
    expect(log).toEqual(['seed 2', 'over', 'seed 3', 'over']);
  });
});
