import {constants, type Stats} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';

/**
 * Reads a regular file, or one that a link leads to.
 *
 * A FIFO, a device or a socket is refused before anything is read: it may never end, or wait for
 * ever.
 *
 * @returns undefined if there is none.
 * @throws Error if it is not regular, has more than `largest` bytes, or cannot be read.
 */
export async function readWholeFile(path: string, largest: number): Promise<Uint8Array | undefined> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a FIFO blocks until a writer opens it. Windows lacks the flag.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const found = await file.stat();
    const wrong = !found.isFile()
      ? `a regular file, got ${kindOf(found)}`
      : found.size > largest && `a file of at most ${largest} bytes, got ${found.size}`;
    if (wrong) throw new RangeError(`readWholeFile: ${path} must be ${wrong}. Get the file again.`);
    return await firstBytes(file, found.size);
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (error instanceof RangeError) throw error;
    throw new Error(`readWholeFile: ${path} must be a file that can be read, got ${message}.`, {cause: error});
  } finally {
    await file?.close();
  }
}

/** Reads `size` bytes, also if the file grows meanwhile. */
async function firstBytes(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const {bytesRead} = await file.read(bytes, length, size - length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a FIFO';
  return found.isSocket() ? 'a socket' : 'a device';
}
