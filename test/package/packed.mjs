import {execFileSync} from 'node:child_process';
import {join, resolve} from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** Packs the built library into a folder. Returns the tarball and the paths of its files. */
export function packed(folder) {
  const [{filename, files}] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {cwd: root, encoding: 'utf8'}),
  );
  return {tarball: join(folder, filename), paths: files.map(({path}) => path)};
}
