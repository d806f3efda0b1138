/** @file Drafts: files that are written beside the one whose place they take. */

import {createHash, randomBytes} from 'node:crypto';
import {lstat, open, readdir, rename, rm} from 'node:fs/promises';
import {hostname} from 'node:os';
import {basename, dirname, join} from 'node:path';

/**
 * Replaces a file at once: a reader finds the old content or the new one, whenever the process dies.
 *
 * The content is written to a draft of its own name, flushed to the disk, and renamed. A symbolic
 * link at `path` is replaced, and the file that it leads to stays as it is. Drafts that killed writers
 * left are removed.
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
    // The first error is the one to report, whether the draft can be removed or not.
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

/** Removes the drafts of writers that are gone. One that cannot be removed does not stop a save. */
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

/** Whether the writer of a draft is known to have ended; only the host on which it ran can tell. */
function hasEnded([, ofHost, id, time]: RegExpExecArray): boolean {
  if (ofHost !== host()) return false;
  // In a container, a process often has the number of the one before it.
  if (Number(id) === process.pid) return Number(time) < Date.now() - process.uptime() * 1000;
  try {
    process.kill(Number(id), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** A draft that was not written to for a day has no writer left. */
const OLD = 24 * 60 * 60 * 1000;

async function isOld(draft: string): Promise<boolean> {
  const found = await lstat(draft).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > OLD;
}
