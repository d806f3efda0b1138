import {createHash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The library, and the network, the order of rows and the steps of the experiment. */
const FOLDERS = ['src', 'examples/mnist/experiment'];

/**
 * Computes a hash of the code that the numbers of a seed come from. Comments, types and white
 * space do not count.
 *
 * @param root  the folder that holds the repository.
 */
export async function sourceHash(root: string = ROOT): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of FOLDERS) {
    const names = (await readdir(join(root, folder), {recursive: true})).filter((name) => name.endsWith('.ts'));
    for (const name of names.sort()) {
      hash.update(`${folder}/${name.replaceAll('\\', '/')}\n`);
      hash.update(codeOf(await readFile(join(root, folder, name), 'utf8')));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

/** What runs of a file, as the compiler prints it, without white space. */
function codeOf(text: string): string {
  const {ES2022} = ts.ScriptTarget;
  const compilerOptions = {target: ES2022, module: ts.ModuleKind.ESNext, removeComments: true};
  return ts.transpileModule(text, {compilerOptions}).outputText.replace(/\s+/g, '');
}
