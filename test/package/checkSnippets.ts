/**
 * @file Runs the code of each document as it is printed, in a project that has nothing but the
 *   packed library and the packages that the document names: `npm run snippets`, or
 *   `npm run snippets -- docs/losses.md`. Takes a minute of processor time.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import ts from 'typescript';
import {installedBy, programsIn, runsElsewhere} from '../support/docExamples';
import {readSource, sourcesIn} from '../support/sources';
import {inFolder, install, pack, run} from './support/packed';

const chosen = process.argv.slice(2);
const documents = [readSource('README.md'), ...sourcesIn('docs', '.md')].filter(
  ({path}) => chosen.length === 0 || chosen.includes(path),
);
const programs = documents.flatMap((document) =>
  programsIn(document)
    .filter((program) => !runsElsewhere(program))
    .map((program) => ({...program, packages: installedBy(document).sort()})),
);

/** JavaScript whose errors name the lines of the document. */
function compiled({path, code}: {path: string; code: string}): string {
  return ts.transpileModule(code, {
    fileName: path,
    compilerOptions: {target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, inlineSourceMap: true},
  }).outputText;
}

/** Makes a project for each set of packages when it is first needed. */
function projects(folder: string, tarball: string) {
  const made = new Map<string, string>();
  return (packages: readonly string[]) => {
    const key = packages.join(' ');
    const known = made.get(key);
    if (known !== undefined) return known;
    const project = join(folder, `project-${made.size}`);
    mkdirSync(project);
    install(project, packages, tarball);
    made.set(key, project);
    return project;
  };
}

await inFolder('snippets', async (folder) => {
  const projectWith = projects(folder, pack(folder));
  const failed: string[] = [];
  for (const {packages, file, ...program} of programs) {
    const name = [program.path, file].filter((part) => part !== undefined).join(', ');
    const started = performance.now();
    try {
      const project = projectWith(packages);
      const script = `${basename(program.path)}.${file ?? ''}.mjs`;
      writeFileSync(join(project, script), compiled(program));
      run(project, 'node', ['--enable-source-maps', script]);
      console.log(`ok ${name}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    } catch (error) {
      failed.push(name);
      console.error(`FAILED ${name}\n${error instanceof Error ? error.message : error}`);
    }
  }
  if (failed.length > 0) throw new Error(`checkSnippets: these documents do not run as printed: ${failed.join('; ')}`);
});
