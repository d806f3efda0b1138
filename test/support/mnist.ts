import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {describe} from 'vitest';

const FOLDER = process.env.OHEM_MNIST ?? fileURLToPath(new URL('../../../shared/mnist', import.meta.url));
const absent = !existsSync(FOLDER);

/**
 * Describes what takes the real MNIST; skipped, and the title says so, where its folder is not
 * there.
 */
export function describeWithMnist(title: string, specification: (folder: string) => void): void {
  const suffix = absent ? ` (skipped: no ${FOLDER}; set OHEM_MNIST to its folder)` : '';
  describe.skipIf(absent)(`${title}${suffix}`, () => specification(FOLDER));
}
