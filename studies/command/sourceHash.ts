import {createHash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The library; the network, the order of rows and the steps of the experiment; the kit of all
 * studies, and data that some of them share with the benchmarks.
 */
const PLACES = ['src', 'examples/mnist/experiment', 'studies/kit', 'bench/flippedLabels.ts', 'bench/trainDigits.ts'];

/** Files that only show numbers. */
const SHOWING = /(report|summary|figure)\.ts$/i;

/** The folder of a study, which is the first word of its name. */
const folderOf = (study: string) => `studies/${study.split('-')[0]}`;

/**
 * Computes a hash of the code that the numbers of a seed come from. Comments, types, white space,
 * and files that only show numbers, do not count.
 *
 * @param study  the name of the study.
 * @param root  the folder that holds the repository.
 */
export async function sourceHash(study: string, root: string = ROOT): Promise<string> {
  const hash = createHash('sha256');
  for (const place of [...PLACES, folderOf(study)]) {
    const names = place.endsWith('.ts') ? [place] : await sourcesIn(root, place);
    for (const name of names.sort()) {
      hash.update(`${name}\n`);
      hash.update(codeOf(await readFile(join(root, name), 'utf8')));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

async function sourcesIn(root: string, folder: string): Promise<string[]> {
  const names = await readdir(join(root, folder), {recursive: true});
  return names
    .filter((name) => name.endsWith('.ts') && !SHOWING.test(name))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

/** The code of texts that were read before: studies share most files. */
const codes = new Map<string, string>();

/** What runs of a file, as the compiler prints it, without white space. */
function codeOf(text: string): string {
  const {ES2022} = ts.ScriptTarget;
  const compilerOptions = {target: ES2022, module: ts.ModuleKind.ESNext, removeComments: true};
  const code = codes.get(text) ?? ts.transpileModule(text, {compilerOptions}).outputText.replace(/\s+/g, '');
  codes.set(text, code);
  return code;
}
