import {join} from 'node:path';
import {writeFileAtomically} from './atomicWrite';

/**
 * Writes files into a folder, one after the other, each whole or not at all.
 *
 * @returns their paths, in the same order.
 */
export async function writeFiles(
  folder: string,
  files: readonly (readonly [name: string, content: string | Uint8Array])[],
): Promise<string[]> {
  const paths: string[] = [];
  for (const [name, content] of files) {
    const path = join(folder, name);
    await writeFileAtomically(path, content);
    paths.push(path);
  }
  return paths;
}
