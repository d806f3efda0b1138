import {createHash} from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import type {FileHandle} from 'node:fs/promises';
import {hostname, tmpdir} from 'node:os';
import {join} from 'node:path';
import {setBackend} from '@tensorflow/tfjs-core';
import {fitOhem, type TrainingState} from 'ohem-tfjs';
import {resumeTraining, saveTraining} from 'ohem-tfjs/node';
import {afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest';
import '../support/backends';
import {itIf} from '../support/itIf';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {weightValues} from '../support/tinyModel';

/** While it is true, the disk is full after the first bytes of a file. */
const disk = vi.hoisted(() => ({isFull: false}));
vi.mock('node:fs/promises', async (original) => {
  const files = await original<typeof import('node:fs/promises')>();
  const open: typeof files.open = async (...given) => {
    const file = await files.open(...given);
    if (!disk.isFull) return file;
    const writeFile: FileHandle['writeFile'] = async (content) => {
      await file.write((content as Buffer).subarray(0, 100));
      throw new Error('ENOSPC: no space left on device, write');
    };
    return Object.assign(file, {writeFile});
  };
  return {...files, open};
});

let [folder, file] = ['', ''];
let model: ReturnType<typeof resumableModel>;
let state: TrainingState;
beforeAll(async () => {
  await setBackend('cpu');
  model = resumableModel();
  const {xs, ys} = resumableData();
  ({state} = await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 1}));
});
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), 'ohem-drafts-'));
  file = join(folder, 'training.ohem');
});
afterEach(() => {
  disk.isFull = false;
  rmSync(folder, {recursive: true, force: true});
});

const stepIn = async (where: string) => (await resumeTraining(where, resumableModel()))?.step;

describe('Saves that overlap', () => {
  it('are written one after the other, each whole', async () => {
    const steps = Array.from({length: 12}, (_, step) => step);
    await Promise.all(steps.map((step) => saveTraining(folder, model, {...state, step})));
    expect(await stepIn(folder)).toBe(11);
    expect(readdirSync(folder)).toEqual(['training.ohem']);
  });

  it('are in order also by several spellings of the path, into a folder that is still to be made', async () => {
    symlinkSync(folder, join(folder, 'link'));
    const spellings = [join(folder, 'a', 'b'), `${folder}/a/./c/../b/`, join(folder, 'link', 'a', 'b')];
    for (const last of spellings) {
      rmSync(join(folder, 'a'), {recursive: true, force: true});
      const saves = [...spellings, last].map((path, step) => saveTraining(path, model, {...state, step}));
      await Promise.all(saves);
      for (const path of spellings) expect(await stepIn(path)).toBe(3);
    }
  });

  it('are all there for the one who resumes', async () => {
    const saves = [0, 1, 2].map((step) => saveTraining(folder, model, {...state, step}));
    expect(await stepIn(folder)).toBe(2);
    await Promise.all(saves);
  });

  it('of a run that does not wait are of the moment of the call', async () => {
    const {xs, ys} = resumableData();
    const whole = resumableModel();
    const saves: Promise<void>[] = [];
    const checkpoint = (at: TrainingState) => {
      saves.push(saveTraining(join(folder, String(at.step)), whole, at), saveTraining(folder, whole, at));
    };
    await fitOhem(whole, xs, ys, {...RESUMABLE(), epochs: 3, checkpoint, checkpointEvery: 1});
    await Promise.all(saves);
    expect(await stepIn(folder)).toBe(12);
    for (const step of [1, 2, 7]) {
      const resumed = resumableModel();
      const initialState = await resumeTraining(join(folder, String(step)), resumed);
      await fitOhem(resumed, xs, ys, {...RESUMABLE(), epochs: 3, initialState});
      expect(weightValues(resumed)).toEqual(weightValues(whole));
    }
  });

  it('continue after one that failed', async () => {
    const wrong = saveTraining(folder, model, {} as TrainingState);
    mkdirSync(join(file, 'in'), {recursive: true});
    const failing = saveTraining(folder, model, state);
    const failed = await Promise.allSettled([wrong, failing]);
    expect(failed.map(({status}) => status)).toEqual(['rejected', 'rejected']);
    rmSync(file, {recursive: true});
    await saveTraining(folder, model, {...state, step: 7});
    expect(await stepIn(folder)).toBe(7);
  });
});

describe('A draft', () => {
  const host = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 8);
  const draft = (ofHost: string, process: number, time: number) =>
    `training.ohem.${host(ofHost)}-${process}-${time}-0123456789ab.draft`;
  /** No process has it: it is above the largest number that Linux and macOS give. */
  const NOBODY = 2 ** 30;

  it('of a writer that is gone is removed, and of one that may live it stays', async () => {
    const now = Date.now();
    const gone = [
      draft(hostname(), NOBODY, now),
      // Before this process was: another one had its number.
      draft(hostname(), process.pid, Math.floor(now - process.uptime() * 1000 - 5)),
      draft('elsewhere', 1, now - 1),
    ];
    const staying = [
      draft(hostname(), process.pid, now),
      draft(hostname(), process.ppid, now),
      draft('elsewhere', NOBODY, now),
      'training.ohem.backup',
      'training.ohem.new',
      `other-${draft(hostname(), NOBODY, now)}`,
    ];
    for (const name of [...gone, ...staying]) writeFileSync(join(folder, name), 'half');
    const longAgo = now / 1000 - 90_000;
    utimesSync(join(folder, gone[2] as string), longAgo, longAgo);
    await saveTraining(folder, model, state);
    expect(readdirSync(folder).sort()).toEqual(['training.ohem', ...staying].sort());
  });

  it('is removed where the disk is full, and what was saved before stays', async () => {
    await saveTraining(folder, model, state);
    const before = readFileSync(file);
    disk.isFull = true;
    await expect(saveTraining(folder, model, {...state, step: 9})).rejects.toThrow('ENOSPC');
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['training.ohem']);
  });

  itIf(process.getuid !== undefined && process.getuid() !== 0)('that cannot be made leaves all as it was', async () => {
    await saveTraining(folder, model, state);
    chmodSync(folder, 0o500);
    await expect(saveTraining(folder, model, {...state, step: 9})).rejects.toThrow('EACCES');
    chmodSync(folder, 0o700);
    expect(await stepIn(folder)).toBe(state.step);
  });
});

describe('A symbolic link', () => {
  it.each(['training.ohem', 'training.ohem.new'])('at %s is not followed', async (name) => {
    const precious = join(folder, 'precious.txt');
    writeFileSync(precious, 'precious');
    mkdirSync(join(folder, 'run'));
    symlinkSync(precious, join(folder, 'run', name));
    await saveTraining(join(folder, 'run'), model, state);
    expect(readFileSync(precious, 'utf8')).toBe('precious');
    expect(lstatSync(join(folder, 'run', 'training.ohem')).isFile()).toBe(true);
    expect(await stepIn(join(folder, 'run'))).toBe(state.step);
  });

  it('to a folder leads there', async () => {
    mkdirSync(join(folder, 'disk'));
    symlinkSync(join(folder, 'disk'), join(folder, 'run'));
    await saveTraining(join(folder, 'run'), model, state);
    expect(readdirSync(join(folder, 'disk'))).toEqual(['training.ohem']);
    expect(lstatSync(join(folder, 'run')).isSymbolicLink()).toBe(true);
    expect(await stepIn(join(folder, 'run'))).toBe(state.step);
  });

  it('to nothing is no beginning: what it led to may come back', async () => {
    symlinkSync(join(folder, 'gone', 'training.ohem'), file);
    await expect(resumeTraining(folder, resumableModel())).rejects.toThrow('ENOENT');
  });
});

describe('A path that is no folder', () => {
  it.each(['notes.txt', join('notes.txt', 'run')])('is refused by both: %s', async (name) => {
    const notes = join(folder, 'notes.txt');
    writeFileSync(notes, 'notes');
    const path = join(folder, name);
    await expect(saveTraining(path, model, state)).rejects.toThrow(
      `saveTraining: folder must be the path of a folder, got a file, ${notes}.`,
    );
    await expect(resumeTraining(path, resumableModel())).rejects.toThrow(
      'resumeTraining: folder must be the path of a folder, got a file',
    );
    expect(readFileSync(notes, 'utf8')).toBe('notes');
  });

  itIf(existsSync('/proc'))('is refused where nothing can be made', async () => {
    await expect(saveTraining('/proc/run', model, state)).rejects.toThrow('ENOENT');
    await expect(resumeTraining('/proc/run', resumableModel())).resolves.toBeUndefined();
  });

  it.each(['a\0b', join(tmpdir(), 'x'.repeat(5000))])('is refused by the file system', async (path) => {
    await expect(saveTraining(path, model, state)).rejects.toThrow(/ERR_INVALID_ARG_VALUE|null bytes|ENAMETOOLONG/);
    await expect(resumeTraining(path, resumableModel())).rejects.toThrow(/null bytes|ENAMETOOLONG/);
  });
});
