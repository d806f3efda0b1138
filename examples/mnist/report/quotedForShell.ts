/**
 * Quotes an argument, if it has to be, so that it can be pasted into a shell.
 *
 * Double quotes are those that both the shells of Unix and that of Windows know; between single
 * ones nothing is replaced.
 */
export function quotedForShell(text: string): string {
  if (/^[\w./,:=+-]+$/.test(text)) return text;
  const isReplaced = /["$`!%\n]|\\\\|\\$/.test(text);
  return isReplaced || text === '' ? `'${text.replaceAll("'", "'\\''")}'` : `"${text}"`;
}
