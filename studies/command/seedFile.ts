import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import {FailedError, messageOf} from '../../examples/mnist/node/errors';
import type {StudySettings} from '../kit/study';

/**
 * What the numbers of a seed hang on: files that differ in any of it must not meet in one figure.
 */
export interface Provenance {
  study: string;
  settings: StudySettings;
  versions: Record<string, string>;
}

/** The file of one seed. */
export interface SeedFile<Seed = unknown> extends Provenance {
  seed: number;
  content: Seed;
}

export const seedPath = (folder: string, seed: number): string => join(folder, `seed-${seed}.json`);

/** A file that is no whole file of a seed: the seed has to be run again. */
export class DamagedError extends FailedError {
  override name = 'DamagedError';
}

export function encodeSeed<Seed>({content, ...about}: SeedFile<Seed>): string {
  return `${JSON.stringify({...about, sha256: checksum(content), content})}\n`;
}

/**
 * Reads the file of a seed.
 *
 * @returns undefined if there is none.
 * @throws DamagedError if it is cut or changed; FailedError if it cannot be read, or was made with
 *   other settings or versions.
 */
export async function readSeed<Seed>(folder: string, seed: number, wanted: Provenance): Promise<Seed | undefined> {
  const path = seedPath(folder, seed);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FailedError(`study: ${path} must be a file that can be read, got ${messageOf(error)}.`, {cause: error});
  }
  return decodeSeed<Seed>(text, path, seed, wanted);
}

function decodeSeed<Seed>(text: string, path: string, seed: number, wanted: Provenance): Seed {
  const {content, sha256, ...about} = parsed<Seed>(text, path);
  if (content === undefined || checksum(content) !== sha256) {
    throw new DamagedError(`study: ${path} must be whole, got a damaged file: its checksum is wrong.`);
  }
  const difference = firstDifference(about, {...wanted, seed});
  if (difference) {
    const {name, is, due} = difference;
    throw new FailedError(
      `study: ${path} must be made with ${name} ${due}, got ${is}. Runs of different settings or versions do not go ` +
        'into one figure: give another --out.',
    );
  }
  return content;
}

function parsed<Seed>(text: string, path: string): Partial<SeedFile<Seed> & {sha256: string}> {
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    const got = `a damaged or cut file (${messageOf(error)})`;
    throw new DamagedError(`study: ${path} must be whole, got ${got}.`, {cause: error});
  }
}

/** The first setting or version in which a file is not as it should be, for people. */
function firstDifference(is: object, due: object, path = ''): {name: string; is: string; due: string} | undefined {
  const [theirs, ours] = [is as Record<string, unknown>, due as Record<string, unknown>];
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const [one, other] = [theirs[key], ours[key]];
    if (isDeepStrictEqual(one, other)) continue;
    const name = path + key;
    if (isRecord(one) && isRecord(other)) return firstDifference(one, other, `${name}.`);
    return {name, is: JSON.stringify(one) ?? 'none', due: JSON.stringify(other) ?? 'none'};
  }
  return undefined;
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const checksum = (content: unknown) => createHash('sha256').update(JSON.stringify(content)).digest('hex');
