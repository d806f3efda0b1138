/** @file The source texts of the library, as the tests of its documentation read them. */
import {readdirSync, readFileSync} from 'node:fs';
import {posix} from 'node:path';
import {fileURLToPath} from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A file with its path from the root of the repository. */
export interface SourceText {
  path: string;
  text: string;
}

export function readSource(path: string): SourceText {
  return {path, text: readFileSync(`${ROOT}${path}`, 'utf8')};
}

/** Every file below a folder whose name ends in `extension`. */
export function sourcesIn(folder: string, extension: string): SourceText[] {
  return readdirSync(`${ROOT}${folder}`, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith(extension))
    .sort()
    .map((name) => readSource(`${folder}/${name}`));
}

function parsed({path, text}: SourceText): ts.SourceFile {
  return ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
}

/** Every name that a module exports, types included: by `export {…}`, or all of a folder. */
export function exportedNames(source: SourceText): string[] {
  return parsed(source).statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) return [];
    const {exportClause, moduleSpecifier} = statement;
    if (exportClause && ts.isNamedExports(exportClause)) return exportClause.elements.map(({name}) => name.text);
    const folder = (moduleSpecifier as ts.StringLiteral).text;
    return exportedNames(readSource(posix.join(posix.dirname(source.path), folder, 'index.ts')));
  });
}

/**
 * The names of the tags in the doc comment of every exported function (or constant) of a module.
 */
export function documentedFunctions(source: SourceText): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const statement of parsed(source).statements) {
    if (!ts.canHaveModifiers(statement)) continue;
    if (!ts.getModifiers(statement)?.some(({kind}) => kind === ts.SyntaxKind.ExportKeyword)) continue;
    // Of the signatures of an overloaded function only the first has a comment.
    for (const name of declaredNames(statement)) found.set(name, [...(found.get(name) ?? []), ...tagsOf(statement)]);
  }
  return found;
}

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isFunctionDeclaration(statement)) return [statement.name?.text ?? ''];
  if (!ts.isVariableStatement(statement)) return [];
  return statement.declarationList.declarations.map(({name}) => name.getText());
}

function tagsOf(statement: ts.Statement): string[] {
  return ts
    .getJSDocCommentsAndTags(statement)
    .flatMap((doc) => (ts.isJSDoc(doc) ? (doc.tags ?? []).map((tag) => tag.tagName.text) : []));
}
