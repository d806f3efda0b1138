import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {cell} from './cell.mjs';

/** How imports are resolved, with the module that goes with it. */
export const RESOLUTIONS = {node10: 'commonjs', node16: 'node16', bundler: 'esnext'};

/** Compiles the program against the types of the tarball, under `strict`. */
export async function compiled(project, tsc, version, resolution) {
  const major = Number.parseInt(version, 10);
  if (resolution === 'node10' && major >= 7) {
    return {result: 'not offered', said: `TypeScript ${major} has no resolution of this name`};
  }
  const file = join(project, `tsconfig.${version}.${resolution}.json`);
  const compilerOptions = {
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    target: 'es2022',
    lib: ['es2022', 'dom'],
    types: [],
    module: RESOLUTIONS[resolution],
    moduleResolution: resolution,
    // TypeScript 6 calls this resolution deprecated.
    ...(resolution === 'node10' && major === 6 && {ignoreDeprecations: '6.0'}),
  };
  writeFileSync(file, JSON.stringify({compilerOptions, files: ['use.ts']}));
  return cell(process.execPath, [tsc, '--project', file], {cwd: project});
}
