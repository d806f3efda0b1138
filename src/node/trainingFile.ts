import {createHash} from 'node:crypto';
import {lstat, readFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {io} from '@tensorflow/tfjs-core';
import {typeError} from '../checks';
import type {Store} from '../trainers/checkpoint/savedTraining';
import {replaceFile} from './drafts';
import {makeFolder, notAFolder, truePath} from './folder';

/** First line of the file, as JSON: sizes of the parts that follow, and their checksum. */
interface Head {
  format: typeof FORMAT;
  /** Bytes of the JSON, and of the weights after it. */
  json: number;
  weights: number;
  sha256: string;
}

const FORMAT = 'ohem-tfjs training 1';

/** Returns the store of a folder, its file `training.ohem`. Refuses anything but a path. */
export function fileStore(where: string, folder: string): Store {
  const path = fileIn(where, folder);
  return {handler: fileHandler(where, path), turn: join(truePath(folder), 'training.ohem')};
}

function fileIn(where: string, folder: string): string {
  if (typeof folder === 'string' && folder !== '' && !folder.includes('://')) return join(folder, 'training.ohem');
  const remedy = "For a URL or an io handler of tfjs, import this function from 'ohem-tfjs'.";
  throw typeError(where, 'folder', 'be the path of a folder', folder, remedy);
}

/**
 * Whether a folder has a checkpoint. Throws if that is unknown, because a new run would replace it.
 */
export async function hasFile(where: string, folder: string): Promise<boolean> {
  try {
    await lstat(fileIn(where, folder));
    return true;
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') throw notAFolder(where, folder);
    if (code === 'ENOENT') return false;
    throw error;
  }
}

/** Builds a tfjs io handler for one file. */
function fileHandler(where: string, path: string): Required<io.IOHandler> {
  return {
    async save({weightData, ...artifacts}) {
      const parts = [weightData ?? []].flat().map((part) => Buffer.from(part));
      const body = Buffer.concat([Buffer.from(JSON.stringify(artifacts)), ...parts]);
      const weights = parts.reduce((sum, {length}) => sum + length, 0);
      const head: Head = {format: FORMAT, json: body.length - weights, weights, sha256: hashOf(body)};
      await makeFolder(where, dirname(path));
      await replaceFile(path, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body]));
      return {modelArtifactsInfo: {dateSaved: new Date(), modelTopologyType: 'JSON'}};
    },
    async load() {
      const {json, weights} = parse(where, path, await readFile(path));
      return {...(JSON.parse(json.toString()) as io.ModelArtifacts), weightData: new Uint8Array(weights).buffer};
    },
  };
}

function parse(where: string, path: string, file: Buffer): {json: Buffer; weights: Buffer} {
  const end = file.indexOf('\n');
  const head = headOf(file.subarray(0, Math.max(end, 0)));
  if (!head) throw typeError(where, 'folder', 'hold a checkpoint that saveTraining has saved', `another file, ${path}`);
  const body = file.subarray(end + 1);
  const due = head.json + head.weights;
  if (body.length !== due)
    throw typeError(where, 'folder', `hold all ${due} bytes of the checkpoint`, `${body.length} in ${path}`);
  if (hashOf(body) !== head.sha256)
    throw typeError(where, 'folder', 'hold the checkpoint as it was saved', `a damaged file, ${path}`);
  return {json: body.subarray(0, head.json), weights: body.subarray(head.json)};
}

function headOf(line: Buffer): Head | undefined {
  try {
    const head = JSON.parse(line.toString()) as Head;
    return head.format === FORMAT ? head : undefined;
  } catch {
    return undefined;
  }
}

function hashOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
