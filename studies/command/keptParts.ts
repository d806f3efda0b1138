import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import type {writeFileAtomically} from '../../examples/mnist/node/atomicWrite';
import type {Parts, Shelf} from '../kit/parts';
import {encodeKept, type Provenance, readOrSetAside} from './keptFile';
import type {OtherSources} from './otherSources';
import {unwritable} from './unwritable';

interface KeptPartsOptions {
  provenance: Provenance;
  folder: string;
  output: NodeJS.WritableStream;
  write: typeof writeFileAtomically;
  otherSources: OtherSources;
}

/** The files of the parts that all seeds share, and of those of one seed. */
const shared = 'part-';
const ofSeed = (seed: number) => `seed-${seed}-part-`;

/** Keeps the parts of a seed as files, each as whole and as well checked as that of a seed. */
export function keptParts(seed: number, options: KeptPartsOptions): Parts {
  return {ofStudy: shelf(shared, options), ofSeed: shelf(ofSeed(seed), options, seed)};
}

/** Removes the parts of a seed that is whole. */
export async function removeParts(folder: string, seed: number): Promise<void> {
  const names = await readdir(folder);
  for (const name of names.filter((other) => other.startsWith(ofSeed(seed)))) await rm(join(folder, name));
}

function shelf(prefix: string, {provenance, folder, output, write, otherSources}: KeptPartsOptions, seed?: number) {
  const pathOf = (name: string) => join(folder, `${prefix}${name}.json`);
  const about = (part: string) => ({...provenance, ...(seed !== undefined && {seed}), part});
  return {
    async find<Part>(name: string) {
      const kept = await readOrSetAside<Part>(pathOf(name), about(name), 'its part is made again', output);
      if (kept) otherSources.note(`part ${name}`, kept.source);
      return kept?.content;
    },
    async keep(name, content) {
      await write(pathOf(name), encodeKept({...about(name), content})).catch((error) => {
        const advice = `Part ${name} is lost, parts that were written are not: put that right, and give the same command again.`;
        throw unwritable(folder, error, advice);
      });
    },
  } satisfies Shelf;
}
