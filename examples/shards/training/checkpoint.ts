import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {writeFileAtomically} from '../../mnist/node/atomicWrite';
import {ShardError} from '../shardError';
import type {Settings} from './settings';
import {fingerprintOf, type TrainingState} from './state';

const FILE = 'training.shards';

/** What stands before the numbers, as a line of JSON. */
interface Header {
  step: number;
  weights: number;
  momenta: number;
  fingerprint: string;
  /** What was trained. */
  task: string;
}

/**
 * The settings that a resumed run must share: how many steps it takes, and how long it waits, may
 * change.
 */
export const taskOf = ({steps: _, timeout: __, ...task}: Settings): string =>
  JSON.stringify(task, Object.keys(task).sort());

/**
 * Writes a checkpoint: the file is the one before or this one, also if the process is killed.
 *
 * @throws ShardError if it cannot be written.
 */
export async function writeCheckpoint(folder: string, state: TrainingState, settings: Settings): Promise<void> {
  const {step, weights, momenta} = state;
  const task = taskOf(settings);
  const header: Header = {
    step,
    weights: weights.length,
    momenta: momenta.length,
    fingerprint: fingerprintOf(state),
    task,
  };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const numbers = [weights, momenta].map(({buffer, byteOffset, byteLength}) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  await written(join(folder, FILE), Buffer.concat([line, ...numbers]));
}

/**
 * Checks that a folder takes checkpoints, before anything is trained.
 *
 * @throws ShardError if it does not.
 */
export async function checkWritable(folder: string): Promise<void> {
  const path = join(folder, `${FILE}.probe`);
  await written(path, '');
  await rm(path, {force: true});
}

async function written(path: string, data: string | Uint8Array): Promise<void> {
  try {
    await writeFileAtomically(path, data);
  } catch (error) {
    const {message} = error as Error;
    throw new ShardError(`shards: the checkpoint must be a file that can be written, got ${message}.`, {cause: error});
  }
}

/**
 * Reads a checkpoint; undefined if there is none.
 *
 * @throws ShardError if it is damaged, or of other settings.
 */
export async function readCheckpoint(folder: string, settings: Settings): Promise<TrainingState | undefined> {
  const path = join(folder, FILE);
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ShardError(`shards: the checkpoint must be a file that can be read, got ${error.message}.`);
  });
  if (!file) return undefined;
  const state = decoded(file);
  if (!state) throw new ShardError(`shards: the checkpoint must be whole, got a damaged ${path}.`);
  const {header, ...numbers} = state;
  if (header.task !== taskOf(settings)) {
    const got = `${header.task} in ${path}, not ${taskOf(settings)}`;
    throw new ShardError(`shards: the checkpoint must be of the same settings, got ${got}.`);
  }
  return {step: header.step, ...numbers};
}

function decoded(file: Buffer): ({header: Header} & Omit<TrainingState, 'step'>) | undefined {
  try {
    const end = file.indexOf('\n');
    const header = JSON.parse(file.toString('utf8', 0, end)) as Header;
    // A copy begins at a place that floats may begin at.
    const bytes = Uint8Array.from(file.subarray(end + 1)).buffer;
    const weights = new Float32Array(bytes, 0, header.weights);
    const momenta = new Float32Array(bytes, 4 * header.weights, header.momenta);
    return fingerprintOf({weights, momenta}) === header.fingerprint ? {header, weights, momenta} : undefined;
  } catch {
    return undefined;
  }
}
