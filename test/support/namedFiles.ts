import {readSource} from './sources';

/** The file that a document shows in a block whose fence names it: `js worker.js`. */
export function namedFile(document: string, name: string): string {
  const blocks = readSource(document).text.matchAll(/^```\w+ (\S+)\n(.*?)^```/gms);
  const found = [...blocks].find(([, file]) => file === name);
  if (!found?.[2]) throw new Error(`namedFile: ${document} must have a block named ${name}, got none.`);
  return found[2];
}
