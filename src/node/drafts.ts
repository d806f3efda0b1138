/** @file Drafts: files that are written beside the target file and then replace it. */

import {createHash, randomBytes} from 'node:crypto';
import {lstat, open, readdir, rename, rm} from 'node:fs/promises';
import {hostname} from 'node:os';
import {basename, dirname, join} from 'node:path';

/**
 * Replaces a file atomically: a reader finds the old or the new content, whenever the process dies.
 *
 * The content is written to a draft with a unique name, flushed to disk, and renamed. A symbolic
 * link at `path` is replaced, and its target stays unchanged. Drafts left by killed writers are
 * removed.
 */
export async function replaceFile(path: string, content: Buffer): Promise<void> {
  await removeAbandoned(path);
  const draft = draftOf(path);
  // Fails if the name exists, so that a link in its place is not followed.
  const file = await open(draft, 'wx');
  try {
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    // Report the first error, even if the draft cannot be removed.
    await rm(draft, {force: true}).catch(() => undefined);
    throw error;
  }
}

/** Names a draft after its writer: `<file>.<host>-<process>-<time>-<random>.draft`. */
function draftOf(path: string): string {
  return `${path}.${host()}-${process.pid}-${Date.now()}-${randomBytes(6).toString('hex')}.draft`;
}

const DRAFT = /^\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}\.draft$/;

function host(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}

/**
 * Removes the drafts of writers that have ended. A draft that cannot be removed does not stop a
 * save.
 */
async function removeAbandoned(path: string): Promise<void> {
  const name = basename(path);
  const names = await readdir(dirname(path)).catch(() => []);
  for (const other of names) {
    const writer = other.startsWith(name) ? DRAFT.exec(other.slice(name.length)) : null;
    if (!writer) continue;
    const draft = join(dirname(path), other);
    if (hasEnded(writer) || (await isOld(draft))) await rm(draft, {force: true}).catch(() => undefined);
  }
}

/** Whether the writer of a draft is known to have ended; only its own host can tell. */
function hasEnded([, ofHost, id, time]: RegExpExecArray): boolean {
  if (ofHost !== host()) return false;
  // In a container, a new process often gets the id of the previous one.
  if (Number(id) === process.pid) return Number(time) < Date.now() - process.uptime() * 1000;
  try {
    process.kill(Number(id), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** A draft unchanged for a day counts as abandoned. */
const OLD = 24 * 60 * 60 * 1000;

async function isOld(draft: string): Promise<boolean> {
  const found = await lstat(draft).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > OLD;
}
