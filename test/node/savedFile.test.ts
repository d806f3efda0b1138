import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setBackend} from '@tensorflow/tfjs-core';
import {fitOhem} from 'ohem-tfjs';
import {resumeTraining, saveTraining} from 'ohem-tfjs/node';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import '../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../support/resumable';
import {weightValues} from '../support/tinyModel';

let folder = '';
let file = '';
beforeAll(async () => {
  await setBackend('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ohem-saved-'));
  file = join(folder, 'training.ohem');
});
afterEach(() => rmSync(folder, {recursive: true, force: true}));

async function saved(epochs = 1) {
  const model = resumableModel();
  const {xs, ys} = resumableData();
  const {state} = await fitOhem(model, xs, ys, {...RESUMABLE(), epochs});
  await saveTraining(folder, model, state);
  return {model, state};
}

describe('A training saved in a folder', () => {
  it('comes back as it was, and is replaced by the next one', async () => {
    for (const epochs of [1, 2]) {
      const {model, state} = await saved(epochs);
      const other = resumableModel();
      expect(await resumeTraining(folder, other)).toEqual(state);
      expect(weightValues(other)).toEqual(weightValues(model));
      expect(other.optimizer.iterations).toBe(epochs * 4);
      expect(readdirSync(folder)).toEqual(['training.ohem']);
    }
  });

  it('is at its beginning where nothing is saved', async () => {
    expect(await resumeTraining(folder, resumableModel())).toBeUndefined();
    expect(await resumeTraining(join(folder, 'none'), resumableModel())).toBeUndefined();
  });

  it('makes the folder', async () => {
    folder = join(folder, 'a', 'b');
    await saved();
    expect(existsSync(join(folder, 'training.ohem'))).toBe(true);
  });

  it('leaves no draft behind where it cannot be put in its place', async () => {
    const {state, model} = await saved();
    rmSync(file);
    mkdirSync(`${file}/in`, {recursive: true});
    await expect(saveTraining(folder, model, state)).rejects.toThrow(/EISDIR|ENOTEMPTY/);
    expect(readdirSync(folder)).toEqual(['training.ohem']);
  });

  describe('is refused, with nothing changed,', () => {
    const refused = async () => {
      const model = resumableModel();
      const [weights, content] = [weightValues(model), readFileSync(file)];
      const message = await resumeTraining(folder, model).then(String, (error: Error) => error.message);
      expect(weightValues(model)).toEqual(weights);
      expect(readFileSync(file)).toEqual(content);
      return message;
    };

    it('where it is cut off, wherever that is', async () => {
      await saved();
      const whole = readFileSync(file);
      const head = whole.indexOf('\n');
      writeFileSync(file, whole.subarray(0, whole.length - 1));
      expect(await refused()).toBe(
        `resumeTraining: folder must hold all ${whole.length - head - 1} bytes of the checkpoint, got ${whole.length - head - 2} in ${file}.`,
      );
      for (const length of [0, 5, head - 1, head]) {
        writeFileSync(file, whole.subarray(0, length));
        expect(await refused()).toBe(
          `resumeTraining: folder must hold a checkpoint that saveTraining has saved, got another file, ${file}.`,
        );
      }
    });

    it('where a byte is another', async () => {
      await saved();
      const damaged = readFileSync(file);
      damaged[damaged.length - 3] = (damaged.at(-3) as number) ^ 1;
      writeFileSync(file, damaged);
      expect(await refused()).toBe(
        `resumeTraining: folder must hold the checkpoint as it was saved, got a damaged file, ${file}.`,
      );
    });

    it.each(['', '{}\n', 'Dear diary,\ntoday', '{"format":"another"}\n123'])(
      'where it is another file: %j',
      async (text) => {
        writeFileSync(file, text);
        expect(await refused()).toBe(
          `resumeTraining: folder must hold a checkpoint that saveTraining has saved, got another file, ${file}.`,
        );
      },
    );
  });

  it('takes a path and nothing else', async () => {
    const message =
      "Training: folder must be the path of a folder, got indexeddb://run. For a URL or an io handler of tfjs, import this function from 'ohem-tfjs'.";
    await expect(resumeTraining('indexeddb://run', resumableModel())).rejects.toThrow(`resume${message}`);
    await expect(saveTraining('indexeddb://run', resumableModel(), {} as never)).rejects.toThrow(`save${message}`);
    await expect(saveTraining('', resumableModel(), {} as never)).rejects.toThrow('saveTraining: folder must');
  });
});
