/**
 * @file The files in the README that are complete: each in a folded part, with its install line.
 */
import {installedBy} from './docExamples';
import {readSource} from './sources';

/** A file that a reader copies into an empty folder. */
export interface CompleteFile {
  name: string;
  text: string;
  /** The packages that its part of the README tells to install. */
  packages: string[];
}

export function completeFiles(): CompleteFile[] {
  const folded = [...readSource('README.md').text.matchAll(/^<details>\n(.*?)^<\/details>/gms)];
  return folded.flatMap(([, part = '']) => {
    const packages = installedBy({text: part});
    const files = part.matchAll(/^```\w+ (\S+)\n(.*?)^```/gms);
    return [...files].map(([, name = '', text = '']) => ({name, text, packages}));
  });
}
