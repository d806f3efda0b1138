import {randomUUID} from 'node:crypto';
import {mkdir, open, rename, rm} from 'node:fs/promises';
import {dirname} from 'node:path';

/**
 * Writes a file so that its name only ever stands for a whole one: the old file, or the new, also
 * when the process is killed in between, or another one writes the same file at the same time.
 *
 *     write path.<random>.tmp → flush it to the disk → rename it to path
 *
 * It makes the folder if need be, and removes its temporary file when it fails (a killed process
 * leaves it).
 */
export async function writeFileAtomically(path: string, data: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), {recursive: true});
  // In the same folder: a rename is atomic only within a file system.
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, {force: true});
    throw error;
  }
}
