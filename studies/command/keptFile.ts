import {createHash} from 'node:crypto';
import {readFile, rename} from 'node:fs/promises';
import {isDeepStrictEqual} from 'node:util';
import {FailedError, messageOf} from '../../examples/mnist/node/errors';
import type {StudySettings} from '../kit/study';

/**
 * What the numbers of a seed hang on: files that differ in settings or versions must not meet in
 * one figure.
 */
export interface Provenance {
  study: string;
  settings: StudySettings;
  versions: Record<string, string>;
  /**
   * A hash of the code that trained. Other code mostly gives the same numbers, so a file of
   * another hash is taken, and named, whatever version it calls itself. Older files have none.
   */
  source?: string;
}

/** The file of a seed or of a part. */
export interface KeptFile<Content = unknown> extends Provenance {
  seed?: number;
  part?: string;
  content: Content;
}

/** A file that is not whole: what it held has to be made again. */
class DamagedError extends FailedError {
  override name = 'DamagedError';
}

export function encodeKept({content, ...about}: KeptFile): string {
  return `${JSON.stringify({...about, sha256: checksum(content), content})}\n`;
}

/** What a file has to be of: a seed or a part of one study. */
type Wanted = Omit<KeptFile, 'content'>;

/**
 * Reads a kept file. The source that it was made by may be another one.
 *
 * @returns undefined if there is none.
 * @throws DamagedError if it is cut or changed; FailedError if it cannot be read, or was made with
 *   other settings or versions.
 */
async function readKept<Content>(path: string, wanted: Wanted): Promise<KeptFile<Content> | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new FailedError(`study: ${path} must be a file that can be read, got ${messageOf(error)}.`, {cause: error});
  }
  return decodeKept<Content>(text, path, wanted);
}

/**
 * Reads a kept file, or sets it aside if it is damaged.
 *
 * @param then  what is done about a damaged file, for people.
 */
export async function readOrSetAside<Content>(
  path: string,
  wanted: Wanted,
  then: string,
  output: NodeJS.WritableStream,
): Promise<KeptFile<Content> | undefined> {
  try {
    return await readKept<Content>(path, wanted);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    await rename(path, `${path}.damaged`).catch((cause) => {
      throw new FailedError(`${error.message} It cannot be set aside (${messageOf(cause)}): remove it.`, {cause});
    });
    output.write(`${error.message} It is set aside as ${path}.damaged, and ${then}.\n`);
    return undefined;
  }
}

function decodeKept<Content>(text: string, path: string, wanted: Wanted): KeptFile<Content> {
  const {sha256, ...file} = parsed<Content>(text, path);
  const {content} = file;
  if (content === undefined || checksum(content) !== sha256) {
    throw new DamagedError(`study: ${path} must be whole, got a damaged file: its checksum is wrong.`);
  }
  const difference = firstDifference(compared(file), compared(wanted));
  if (difference) {
    const {name, is, due} = difference;
    throw new FailedError(
      `study: ${path} must be made with ${name} ${due}, got ${is}. Runs of different settings or versions do not go ` +
        'into one figure: give another --out.',
    );
  }
  return file as KeptFile<Content>;
}

/** What two files of one figure have in common: all about them but the code, and so our version. */
function compared({content: _, source: __, versions: {ohem: ___, ...versions} = {}, ...about}: Partial<KeptFile>) {
  return {...about, versions};
}

function parsed<Content>(text: string, path: string): Partial<KeptFile<Content> & {sha256: string}> {
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
