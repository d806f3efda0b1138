import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExperimentState} from '../experiment/experiment';
import type {Results, Settings} from '../experiment/results';
import type {RunState} from '../experiment/trainRun';
import {writeFileAtomically} from './atomicWrite';
import type {DigitRequest} from './digits';
import {FailedError, messageOf} from './errors';

/** All that is needed to resume an experiment. */
export interface Checkpoint {
  settings: Settings;
  data: Results['data'];
  /** How to get the digits again. */
  request: DigitRequest;
  /** Of the digits. */
  fingerprint: string;
  state: ExperimentState;
}

/** The file: what it is, and the content with its checksum. */
interface Envelope {
  format: string;
  version: number;
  /** Of the content as JSON. */
  sha256: string;
  content: Stored;
}

/** A checkpoint as JSON has it: the weights are little-endian float32 in base64. */
type Stored = Omit<Checkpoint, 'state'> & {
  state: Omit<ExperimentState, 'current'> & {current?: Omit<RunState, 'weights'> & {weights: string[]}};
};

const FORMAT = 'ohem-tfjs mnist checkpoint';
const VERSION = 1;

export const checkpointPath = (folder: string): string => join(folder, 'checkpoint.json');

/**
 * Writes the checkpoint of a folder; who reads it sees the old one or the new one, never a part.
 */
export async function writeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<void> {
  await writeFileAtomically(checkpointPath(folder), encodeCheckpoint(checkpoint));
}

/**
 * Reads the checkpoint of a folder.
 *
 * @returns undefined if there is none.
 * @throws FailedError if there is a file that cannot be read, is damaged, or is something else; it
 *   stays as it is.
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint | undefined> {
  const path = checkpointPath(folder);
  try {
    return decodeCheckpoint(await readFile(path, 'utf8'), path);
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (error instanceof FailedError) throw error;
    throw new FailedError(`mnist: ${path} must be a file that can be read, got ${messageOf(error)}.`, {cause: error});
  }
}

export function encodeCheckpoint({state: {finished, current}, ...rest}: Checkpoint): string {
  const content: Stored = {
    ...rest,
    state: {finished, ...(current && {current: {...current, weights: current.weights.map(toBase64)}})},
  };
  const envelope: Envelope = {format: FORMAT, version: VERSION, sha256: checksum(content), content};
  return `${JSON.stringify(envelope)}\n`;
}

/**
 * Reads a checkpoint.
 *
 * @param path  what errors call it.
 * @throws FailedError if it is not whole, not a checkpoint, or one of another version.
 */
export function decodeCheckpoint(text: string, path: string): Checkpoint {
  const {format, version, sha256, content} = parsed(text, path);
  const wrong = (got: string) => new FailedError(`mnist: ${path} must be a checkpoint of this example, got ${got}.`);
  if (format !== FORMAT) throw wrong('something else');
  if (version !== VERSION) throw wrong(`version ${version} where this is version ${VERSION}`);
  if (content === undefined || checksum(content) !== sha256) throw wrong('a damaged one: its checksum is wrong');
  const {
    state: {finished, current},
    ...rest
  } = content;
  return {
    ...rest,
    state: {finished, ...(current && {current: {...current, weights: current.weights.map(fromBase64)}})},
  };
}

function parsed(text: string, path: string): Partial<Envelope> {
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    const reason = `a damaged or cut file (${messageOf(error)})`;
    throw new FailedError(`mnist: ${path} must be a checkpoint of this example, got ${reason}.`, {cause: error});
  }
}

/**
 * JSON that JSON.stringify wrote is the same after a round trip, so that the content need not be
 * kept as text.
 */
const checksum = (content: Stored) => createHash('sha256').update(JSON.stringify(content)).digest('hex');

const toBase64 = ({buffer, byteOffset, byteLength}: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

function fromBase64(text: string): Float32Array {
  // Copied: a float32 array has to begin at a multiple of four bytes, which a Buffer need not.
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

/** Where an unfinished experiment is, for people: `run 3 of 5, step 120 of 300`. */
export function whereabouts({settings: {runs, steps}, state: {finished, current}}: Checkpoint): string {
  const step = current?.result.steps.length ?? 0;
  return `run ${finished.length + 1} of ${runs.length}, step ${step} of ${steps}`;
}

export const isFinished = ({settings, state}: Checkpoint): boolean => state.finished.length === settings.runs.length;
