/**
 * @file Finds the code in doc comments and documents, runs it, and holds it to the values in its
 *   comments.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as core from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import * as ohem from 'ohem-tfjs';
import * as insight from 'ohem-tfjs/insight';
import * as losses from 'ohem-tfjs/losses';
import * as node from 'ohem-tfjs/node';
import * as pairs from 'ohem-tfjs/pairs';
import * as samplers from 'ohem-tfjs/samplers';
import * as schedules from 'ohem-tfjs/schedules';
import * as selectors from 'ohem-tfjs/selectors';
import * as trainers from 'ohem-tfjs/trainers';
import * as wasm from 'ohem-tfjs/wasm';
import ts from 'typescript';
import * as disco from './disco';
import {drawnMnist} from './drawnMnist';
import type {SourceText} from './sources';

/** A piece of code and where it begins. */
export interface Example {
  path: string;
  line: number;
  code: string;
}

/** What a piece of code sees, by name. */
export type Scope = Record<string, unknown>;

const tf = {...core, ...layers};
const MODULES: Record<string, Scope> = {
  '@tensorflow/tfjs': tf,
  '@tensorflow/tfjs-core': core,
  '@tensorflow/tfjs-layers': layers,
  '@tensorflow/tfjs-backend-cpu': {},
  '@tensorflow/tfjs-backend-wasm': {},
  'ohem-tfjs': ohem,
  'ohem-tfjs/losses': losses,
  'ohem-tfjs/schedules': schedules,
  'ohem-tfjs/selectors': selectors,
  'ohem-tfjs/trainers': trainers,
  'ohem-tfjs/insight': insight,
  'ohem-tfjs/pairs': pairs,
  'ohem-tfjs/samplers': samplers,
  'ohem-tfjs/wasm': wasm,
  'ohem-tfjs/node': node,
  '@epfml/discojs': disco,
  mnist: {default: drawnMnist},
  'node:fs': fs,
  'node:os': os,
};

/** What every example may use without an import: `tf`, and all of `ohem-tfjs`. */
export const commonScope = (): Scope => ({tf, ...ohem});

/** The `@example` of each doc comment. */
export function examplesInComments({path, text}: SourceText): Example[] {
  return [...text.matchAll(/\/\*\*.*?\*\//gs)].flatMap((comment) => {
    const firstLine = lineAt(text, comment.index);
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*\*\/?\s?|\s*\*\/$/g, ''));
    return lines.flatMap((line, i) => {
      if (!/^@example\b/.test(line)) return [];
      const rest = lines.slice(i + 1);
      const end = rest.findIndex((next) => /^@\w/.test(next));
      const code = (end < 0 ? rest : rest.slice(0, end)).map((next) => (/^```/.test(next) ? '' : next));
      return [{path, line: firstLine + i + 1, code: code.join('\n')}];
    });
  });
}

/** A block of a document. */
export interface Block extends Example {
  /** Whether it is tagged as TypeScript. One of JavaScript promises no types. */
  isTyped: boolean;
  /**
   * The name of the file that the block is, as its fence says: `js index.js`. Absent if it is a
   * part of one.
   */
  file: string | undefined;
}

/** The fenced blocks of TypeScript and JavaScript in a Markdown document. */
export function examplesInMarkdown({path, text}: SourceText): Block[] {
  const blocks = text.matchAll(/^```(ts|js|typescript|javascript)\b[ \t]*([^\n]*?)[ \t]*\n(.*?)^```/gms);
  return [...blocks].map(({index, 1: language = '', 2: file, 3: code = ''}) => ({
    path,
    line: lineAt(text, index) + 1,
    code,
    isTyped: /^t/.test(language),
    file: file || undefined,
  }));
}

/**
 * Files that documents show, and that need a page, a bundler or an unpublished package, with the
 * test that runs each. The key is the document and the name of the file.
 */
export const RUN_ELSEWHERE: Readonly<Record<string, string>> = {
  'README.md page.html': 'test/package/support/documentPages.ts',
  'README.md index.mjs': 'test/package/checkExamples.ts',
  'README.md main.ts': 'test/package/checkExamples.ts',
  'README.md index.html': 'test/package/checkExamples.ts',
  'docs/backends.md wasm.js': 'test/package/support/documentPages.ts',
  'docs/backends.md wasm.html': 'test/package/support/documentPages.ts',
  'docs/backends.md vite.config.js': 'test/docs/backends.test.ts',
  'docs/faq.md globals.d.ts': 'test/docs/types.test.ts',
  'docs/faq.md map.html': 'test/package/support/documentPages.ts',
  'docs/faq.md worker.js': 'test/package/support/documentPages.ts',
  'docs/faq.md page.js': 'test/package/support/documentPages.ts',
  'docs/faq.md useTraining.jsx': 'test/package/support/documentPages.ts',
  'docs/pairs.md digits.mjs': 'test/docs/digits.test.ts',
  'docs/scaling.md ohem-client.js': 'test/docs/disco.test.ts',
};

/** Whether the file of a document is run by a test of its own. */
export const runsElsewhere = ({path, file = ''}: Pick<Program, 'path' | 'file'>): boolean =>
  `${path} ${file}` in RUN_ELSEWHERE;

/** The fenced blocks of a document that are no commands for a shell and no part of its program. */
export function filesShown({path, text}: SourceText): string[] {
  const fences = [...text.matchAll(/^```(\w+)[ \t]*(\S*)[ \t]*\n.*?^```/gms)];
  const files = fences.filter(([, language = '', name]) => name !== '' || !/^(?:sh|ts|js)$/.test(language));
  return files.map(([, language, name]) => `${path} ${name || `a block of ${language} without a name`}`);
}

/** A program in a document, in which each line has the number of its line there. */
export interface Program extends Example {
  file: string | undefined;
}

/**
 * The programs of a document: the blocks that are parts of one, joined in their order; and each
 * block that is a file.
 */
export function programsIn(document: SourceText): Program[] {
  const blocks = examplesInMarkdown(document);
  const parts = blocks.filter(({file}) => file === undefined);
  const files = blocks.filter(({file}) => file !== undefined);
  return [...(parts.length > 0 ? [parts] : []), ...files.map((block) => [block])].map((together) => {
    const lines: string[] = [];
    for (const {line, code} of together) {
      while (lines.length < line - 1) lines.push('');
      lines.push(...code.split('\n').slice(0, -1));
    }
    return {path: document.path, line: 1, code: `${lines.join('\n')}\n`, file: together[0]?.file};
  });
}

/**
 * The packages that a document tells its readers to install. A folded part is a project of its own.
 */
export function installedBy({text}: Pick<SourceText, 'text'>): string[] {
  const open = text.replaceAll(/^<details>.*?^<\/details>/gms, '');
  const shell = [...open.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block).join('');
  const commands = [...shell.matchAll(/^npm install ([^#\n]+)/gm)].map(([, packages = '']) => packages.trim());
  return [...new Set(commands.flatMap((packages) => packages.split(/\s+/)))];
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/**
 * Runs code with a scope; returns the scope with what the code declared, for the next piece.
 * Errors name file and line.
 *
 * @param installed  The packages that the code may import. Default: all that are known here.
 */
export async function runExample(example: Example, scope: Scope, installed?: readonly string[]): Promise<Scope> {
  let at = example.line;
  const tools: Scope = {
    __at: (line: number) => {
      at = line;
    },
    __check: (line: number, actual: unknown, expected: string) => {
      at = line;
      checkValue(actual, expected);
    },
    __module: (path: string, imported: string[]) => {
      checkInstalled(path, installed);
      return moduleNamed(path, imported);
    },
  };
  try {
    const names = [...Object.keys(tools), ...Object.keys(scope)];
    const run = new AsyncFunction(...names, instrumented(example));
    return {...scope, ...(await run(...Object.values(tools), ...Object.values(scope)))};
  } catch (error) {
    const line = error instanceof AtLine ? error.line : at;
    throw new Error(`${example.path}:${line}: ${error instanceof Error ? error.message : error}`, {cause: error});
  }
}

type Run = (...values: unknown[]) => Promise<Scope>;
const AsyncFunction = (async () => {}).constructor as new (...parameters: string[]) => Run;

class AtLine extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
  }
}

function checkInstalled(path: string, installed: readonly string[] | undefined): void {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path;
  if (!installed || path.startsWith('node:') || installed.includes(name)) return;
  throw new Error(`'${name}' must be installed by the document, got npm install ${installed.join(' ')}`);
}

function moduleNamed(path: string, imported: string[]): Scope {
  const found = MODULES[path];
  if (!found) throw new Error(`no module '${path}' for examples, only ${Object.keys(MODULES).join(', ')}`);
  for (const name of imported) if (!(name in found)) throw new Error(`'${path}' does not export ${name}`);
  return found;
}

/**
 * The body of a function that runs the code, reports its lines, checks its values and returns what
 * it declares.
 */
function instrumented(example: Example): string {
  const file = ts.createSourceFile(example.path, example.code, ts.ScriptTarget.ES2022, true);
  const lineOf = (node: ts.Node) => example.line + file.getLineAndCharacterOfPosition(node.getStart()).line;
  const edits: Edit[] = [];
  const declared = new Set<string>();

  for (const statement of file.statements) {
    if (ts.isImportDeclaration(statement)) {
      edits.push({
        at: statement.getStart(),
        until: statement.end,
        text: `__at(${lineOf(statement)}); ${asRequire(statement)}`,
      });
    } else {
      edits.push({at: statement.getStart(), text: `__at(${lineOf(statement)}); `});
    }
    for (const name of namesOf(statement)) declared.add(name);
  }
  const visit = (node: ts.Node) => {
    if (ts.isExpressionStatement(node) || ts.isVariableStatement(node))
      edits.push(...checksOf(file, node, lineOf(node)));
    ts.forEachChild(node, visit);
  };
  visit(file);

  const {outputText, diagnostics = []} = ts.transpileModule(applied(example.code, edits), {
    reportDiagnostics: true,
    compilerOptions: {target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext},
  });
  const [wrong] = diagnostics;
  if (wrong) {
    const line = example.line + (wrong.file?.getLineAndCharacterOfPosition(wrong.start ?? 0).line ?? 0);
    throw new AtLine(line, ts.flattenDiagnosticMessageText(wrong.messageText, ' '));
  }
  return `{ ${outputText}\nreturn {${[...declared].join(', ')}}; }`;
}

/** A text to put in, instead of what is there up to `until`. */
interface Edit {
  at: number;
  until?: number;
  text: string;
}

function applied(code: string, edits: Edit[]): string {
  const lastFirst = edits.map((edit, order) => ({...edit, order})).sort((a, b) => b.at - a.at || b.order - a.order);
  return lastFirst.reduce((text, {at, until = at, text: put}) => text.slice(0, at) + put + text.slice(until), code);
}

function asRequire({importClause, moduleSpecifier}: ts.ImportDeclaration): string {
  const path = moduleSpecifier.getText();
  const bindings = importClause?.namedBindings;
  if (importClause?.name && !bindings) {
    return `const {default: ${importClause.name.text}} = __module(${path}, ["default"]);`;
  }
  if (!importClause || !bindings) return `__module(${path}, []);`;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return '';
  if (ts.isNamespaceImport(bindings)) return `const ${bindings.name.text} = __module(${path}, []);`;
  const values = bindings.elements.filter(({isTypeOnly}) => !isTypeOnly);
  const imported = values.map(({name, propertyName}) => [(propertyName ?? name).text, name.text] as const);
  const list = JSON.stringify(imported.map(([exported]) => exported));
  return `const {${imported.map(([exported, local]) => `${exported}: ${local}`).join(', ')}} = __module(${path}, ${list});`;
}

/** What a statement adds to the scope of the pieces that follow. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({name}) => boundNames(name));
  if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
    return statement.name ? [statement.name.text] : [];
  }
  if (!ts.isImportDeclaration(statement)) return [];
  const {importClause} = statement;
  const bindings = importClause?.namedBindings;
  if (!bindings || importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return [];
  if (ts.isNamespaceImport(bindings)) return [bindings.name.text];
  return bindings.elements.filter(({isTypeOnly}) => !isTypeOnly).map(({name}) => name.text);
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isOmittedExpression(element) ? [] : boundNames(element.name)));
}

const NUMBER = String.raw`[-−]?(?:\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?|NaN|Infinity)`;
const VALUE = new RegExp(
  String.raw`^(?:${NUMBER}|true|false|'[^']*'|(?:(?:Float32Array|Int32Array|Uint8Array|float32|int32|bool) )?\[(?:[\s[\],]|${NUMBER})*\])$`,
);
const LIKE_A_VALUE = /^(?:[-−]?\d|'|\[|(?:Float32Array|Int32Array|Uint8Array|float32|int32|bool)\b)/;

/**
 * The checks that the comment behind a statement asks for: of its own value (`// 2`), or of names
 * (`// why; kept is 2`).
 */
function checksOf(file: ts.SourceFile, statement: ts.ExpressionStatement | ts.VariableStatement, line: number): Edit[] {
  const [comment] = ts.getTrailingCommentRanges(file.text, statement.end) ?? [];
  if (!comment || comment.kind !== ts.SyntaxKind.SingleLineCommentTrivia) return [];
  const parts = file.text.slice(comment.pos + 2, comment.end).split(';');
  return parts.flatMap((part) => {
    const text = part.trim();
    const named = /^(\w+(?:\.\w+)*) is (.+)$/.exec(text);
    if (named && VALUE.test(named[2] as string))
      return [checkAfter(statement, line, named[1] as string, named[2] as string)];
    if (VALUE.test(text)) return checksOfValue(statement, line, text);
    if (LIKE_A_VALUE.test(text)) throw new AtLine(line, `the comment '${text}' begins like a value and is none`);
    return [];
  });
}

function checksOfValue(
  statement: ts.ExpressionStatement | ts.VariableStatement,
  line: number,
  expected: string,
): Edit[] {
  if (ts.isVariableStatement(statement)) {
    const names = namesOf(statement);
    if (names.length !== 1) throw new AtLine(line, `the comment '${expected}' does not say whose value it is`);
    return [checkAfter(statement, line, names[0] as string, expected)];
  }
  const {expression} = statement;
  return [
    {at: expression.getStart(), text: `__check(${line}, `},
    {at: expression.end, text: `, ${JSON.stringify(expected)})`},
  ];
}

function checkAfter(statement: ts.Statement, line: number, name: string, expected: string): Edit {
  return {at: statement.end, text: ` __check(${line}, ${name}, ${JSON.stringify(expected)});`};
}

/** Compares a value with the text of one; numbers may differ by 1e-5. */
function checkValue(actual: unknown, expected: string): void {
  const kind = /^(\w+) \[/.exec(expected)?.[1];
  const isTensor = actual instanceof core.Tensor;
  const got = isTensor ? actual.dataSync() : actual;
  const gotKind = isTensor ? actual.dtype : (got as object | null)?.constructor?.name;
  const same = (kind === undefined || kind === gotKind) && sameValue(got, expected);
  if (!same) throw new Error(`expected ${expected}, got ${shown(got, gotKind)}`);
}

function sameValue(got: unknown, expected: string): boolean {
  if (/^(?:true|false|')/.test(expected)) return String(got) === expected.replaceAll("'", '');
  const numbers = (expected.replace(/^\w+ \[/, '[').match(new RegExp(NUMBER, 'g')) ?? []).map((text) => {
    return Number(text.replace('−', '-').replaceAll('_', ''));
  });
  const isList = expected.includes('[');
  const values = ArrayBuffer.isView(got) ? [...(got as Float32Array)] : Array.isArray(got) ? got.flat(9) : [got];
  if (!isList && values.length !== 1) return false;
  if (isList && typeof got === 'number') return false;
  return values.length === numbers.length && values.every((value, i) => isNear(value, numbers[i] as number));
}

function isNear(value: unknown, expected: number): boolean {
  return typeof value === 'number' && (Object.is(value, expected) || Math.abs(value - expected) <= 1e-5);
}

function shown(got: unknown, kind: string | undefined): string {
  if (ArrayBuffer.isView(got)) return `${kind} [${[...(got as Float32Array)].join(', ')}]`;
  return Array.isArray(got) ? JSON.stringify(got) : String(got);
}
