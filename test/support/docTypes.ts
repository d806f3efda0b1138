/**
 * @file Compiles the code of documents as a reader's project would: under `strict`, against the
 *   types of the library.
 */
import ts from 'typescript';
import {type Example, examplesInMarkdown} from './docExamples';
import {exportedNames, ROOT, readSource, type SourceText} from './sources';

/** All of tfjs as one module, as the package of that name has it. */
const TFJS = `${ROOT}test/docs/tfjs.ts`;
const TFJS_TEXT = "export * from '@tensorflow/tfjs-core';\nexport * from '@tensorflow/tfjs-layers';\n";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: ['node'],
  ...{strict: true, skipLibCheck: true, noEmit: true},
  paths: {
    '@tensorflow/tfjs': [TFJS],
    'ohem-tfjs': [`${ROOT}src/index.ts`],
    'ohem-tfjs/wasm': [`${ROOT}src/backends/wasm/index.ts`],
    'ohem-tfjs/*': [`${ROOT}src/*/index.ts`],
  },
};

/**
 * Whether a block is tagged as TypeScript; one of JavaScript promises no types, but later blocks
 * may use its names.
 */
function isTyped({text}: SourceText, {line}: Example): boolean {
  return /^```(?:ts|typescript)\b/.test(text.split('\n')[line - 2] as string);
}

/** In place of the line of code that promises no types. */
const UNTYPED = 0;

/**
 * The code of a document as one module, and the line of the document that each of its lines comes
 * from.
 */
function moduleOf(document: SourceText): {text: string; lines: number[]} {
  const imports: [line: number, text: string][] = [];
  const body: [line: number, text: string][] = [];
  const blocks = examplesInMarkdown(document);
  for (const block of blocks) {
    const {line, code} = block;
    // Errors in lines that are marked as being of no line are left out.
    const ofLine = (row: number) => (isTyped(document, block) ? line + row : UNTYPED);
    // A block sees the names of those before, and may declare them anew: it is nested in them.
    body.push([ofLine(0), '{']);
    const file = ts.createSourceFile('block.ts', code, ts.ScriptTarget.ES2022, true);
    const ofImports = new Set<number>();
    for (const statement of file.statements.filter(ts.isImportDeclaration)) {
      const at = (position: number) => file.getLineAndCharacterOfPosition(position).line;
      for (let row = at(statement.getStart()); row <= at(statement.end); row++) ofImports.add(row);
      imports.push([ofLine(at(statement.getStart())), statement.getText().replaceAll('\n', ' ')]);
    }
    code.split('\n').forEach((text, row) => {
      if (!ofImports.has(row)) body.push([ofLine(row), text]);
    });
  }
  const known = new Set<string>();
  const once = imports.flatMap(([line, text]) => withoutKnown(text, known).map((part) => [line, part] as const));
  // What a document does not import is there all the same, as for the test that runs it.
  const names = exportedNames(readSource('src/index.ts')).filter(
    (name) => !known.has(name) && !known.has(`type ${name}`),
  );
  const tfjs = known.has('tf') ? '' : "import * as tf from '@tensorflow/tfjs'; ";
  const all: (readonly [number, string])[] = [
    ...once,
    [UNTYPED, `${tfjs}import {${[...new Set(names)].join(', ')}} from 'ohem-tfjs';`],
    [UNTYPED, 'async function __document(): Promise<void> {'],
    ...body,
    [UNTYPED, '}'.repeat(blocks.length + 1)],
  ];
  return {text: all.map(([, text]) => text).join('\n'), lines: all.map(([line]) => line)};
}

/** An import without the names that an earlier one has brought. */
function withoutKnown(text: string, known: Set<string>): string[] {
  if (known.has(text)) return [];
  known.add(text);
  const [, namespace] = /^import \* as (\w+) from/.exec(text) ?? [];
  if (namespace !== undefined) {
    if (known.has(namespace)) return [];
    known.add(namespace);
  }
  const [, head, list, tail] = /^(import (?:type )?)\{(.*)\}( from .*)$/.exec(text) ?? [];
  if (list === undefined) return [text];
  const fresh = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !known.has(name));
  for (const name of fresh) known.add(name);
  return fresh.length === 0 ? [] : [`${head}{${fresh.join(', ')}}${tail}`];
}

/** The type errors in the code of documents, `path:line: message`. */
export function typeErrors(documents: readonly SourceText[]): string[] {
  const modules = new Map(
    documents.map((document) => [`${ROOT}${document.path}.ts`, {document, ...moduleOf(document)}]),
  );
  const texts = new Map([[TFJS, TFJS_TEXT], ...[...modules].map(([path, {text}]) => [path, text] as const)]);
  const host = ts.createCompilerHost(OPTIONS);
  const {fileExists, readFile, getSourceFile} = host;
  Object.assign(host, {
    fileExists: (path: string) => texts.has(path) || fileExists.call(host, path),
    readFile: (path: string) => texts.get(path) ?? readFile.call(host, path),
    getSourceFile: (path: string, ...others: [ts.ScriptTarget]) => {
      const text = texts.get(path);
      if (text === undefined) return getSourceFile.call(host, path, ...others);
      return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    },
  });
  const program = ts.createProgram([...modules.keys()], OPTIONS, host);
  return [...modules].flatMap(([path, {document, lines}]) => {
    const file = program.getSourceFile(path) as ts.SourceFile;
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.flatMap(({start = 0, messageText}) => {
      const line = lines[file.getLineAndCharacterOfPosition(start).line];
      if (line === UNTYPED) return [];
      return [`${document.path}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`];
    });
  });
}
