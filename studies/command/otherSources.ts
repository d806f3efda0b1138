/** Names results that other code has made, once. */
export interface OtherSources {
  /**
   * @param what  for people: `seed 2`.
   * @param source  the hash that its file has, if any.
   */
  note(what: string, source: string | undefined): void;
  /** Prints what was noted, unless something has been printed before. */
  print(): void;
}

/**
 * Collects the results that were made by other code than this, or do not name their code.
 *
 * @param source  the hash of the code that runs; nothing is printed if it is unknown.
 */
export function otherSources(source: string | undefined, output: NodeJS.WritableStream): OtherSources {
  const [others, unnamed]: [string[], string[]] = [[], []];
  let isPrinted = false;
  return {
    note(what, theirs) {
      if (theirs === undefined) unnamed.push(what);
      else if (theirs !== source) others.push(what);
    },
    print() {
      if (isPrinted || source === undefined || others.length + unnamed.length === 0) return;
      isPrinted = true;
      const sentences = [
        ...(others.length > 0 ? [`Made by other code than this: ${others.join(', ')}.`] : []),
        ...(unnamed.length > 0 ? [`Made before files named their code: ${unnamed.join(', ')}.`] : []),
      ];
      output.write(
        `${sentences.join(' ')} They are kept; this code may give other numbers for them. For results of one code ` +
          'give another --out.\n',
      );
    },
  };
}
