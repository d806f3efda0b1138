/**
 * @file Compiles the code of documents as a reader's project would: under `strict`, against the
 *   types of the library.
 */
import ts from 'typescript';
import {examplesInMarkdown, programsIn} from './docExamples';
import {ROOT, type SourceText} from './sources';

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

/** The lines of a document that are tagged as JavaScript. They promise no types. */
function untypedLines(document: SourceText): Set<number> {
  const untyped = examplesInMarkdown(document).filter(({isTyped}) => !isTyped);
  return new Set(untyped.flatMap(({line, code}) => code.split('\n').map((_, row) => line + row)));
}

/** The type errors in the code of documents, `path:line: message`. */
export function typeErrors(documents: readonly SourceText[]): string[] {
  const modules = new Map(
    documents.flatMap((document) =>
      programsIn(document).map(({file = '', code}) => {
        const path = `${ROOT}${document.path}.${file.replace(/\.[jt]s$/, '')}.ts`;
        // A module, even if it imports nothing.
        return [path, {document, text: `${code}export {};\n`}] as const;
      }),
    ),
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
  return [...modules].flatMap(([path, {document}]) => {
    const untyped = untypedLines(document);
    const file = program.getSourceFile(path) as ts.SourceFile;
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return found.flatMap(({start = 0, messageText}) => {
      const line = 1 + file.getLineAndCharacterOfPosition(start).line;
      if (untyped.has(line)) return [];
      return [`${document.path}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`];
    });
  });
}
