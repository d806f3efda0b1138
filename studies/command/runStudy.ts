import {setImmediate as breathe} from 'node:timers/promises';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import {writeFileAtomically} from '../../examples/mnist/node/atomicWrite';
import type {Study} from '../kit/study';
import {encodeKept, type Provenance, readOrSetAside} from './keptFile';
import {keptParts, removeParts} from './keptParts';
import {otherSources as collectOtherSources} from './otherSources';
import {progressBar} from './progressBar';
import {seedPath} from './seedFile';
import {unwritable} from './unwritable';

export interface RunStudyOptions {
  study: Study;
  provenance: Provenance;
  digits: TrainAndTest;
  /**
   * Seeds 1 … seeds are run; whole ones beyond, of an earlier call, are taken along, so that fewer
   * never take the place of more.
   */
  seeds: number;
  /** Where the files of this study are. */
  folder: string;
  output: NodeJS.WritableStream;
  /** The exit code with which the study is to stop, if it is. */
  exitCode?: () => number | undefined;
  /** What a file is written with. */
  write?: typeof writeFileAtomically;
}

/** What a study has: the content of each seed, or the exit code of who stopped it before. */
export type StudyOutcome = {seeds: unknown[]} | {exitCode: number};

/**
 * Runs the seeds of a study that are not there yet, and writes a file after each.
 *
 * Whatever ends it (Ctrl-C, a crash, a full disk), the seeds and parts that were whole stay whole,
 * and the next call resumes after them. A file that is damaged is set aside, and its seed is run
 * again; one that was made with other settings or versions is an error before anything is run. One
 * that was made by other code is taken, and named.
 *
 * @throws FailedError with a message for people.
 */
export async function runStudy({
  study,
  provenance,
  digits,
  seeds,
  folder,
  output,
  exitCode = () => undefined,
  write = writeFileAtomically,
}: RunStudyOptions): Promise<StudyOutcome> {
  const contents = new Map<number, unknown>();
  const otherSources = collectOtherSources(provenance.source, output);
  for (let seed = 1; ; seed++) {
    const again = `seed ${seed} is run again`;
    const kept = await readOrSetAside(seedPath(folder, seed), {...provenance, seed}, again, output);
    if (kept) {
      contents.set(seed, kept.content);
      otherSources.note(`seed ${seed}`, kept.source);
    } else if (seed >= seeds) break;
  }
  otherSources.print();
  const due = Math.max(seeds, ...contents.keys());
  if (contents.size > 0) output.write(`Found ${contents.size} of ${due} seeds in ${folder}\n`);
  const bar = progressBar({name: study.name, seeds: due, found: contents.size}, output);
  try {
    for (let seed = 1; seed <= due; seed++) {
      if (contents.has(seed)) continue;
      const parts = keptParts(seed, {provenance, folder, output, write, otherSources});
      const training = study.train(seed, digits, provenance.settings, parts);
      try {
        let next = await training.next();
        for (; !next.done; next = await training.next()) {
          bar.show(contents.size + next.value);
          // Signals are only heard between two turns of the event loop.
          await breathe();
          const code = exitCode();
          if (code !== undefined) return {exitCode: code};
        }
        await save(write, folder, seed, encodeKept({...provenance, seed, content: next.value}));
        await removeParts(folder, seed);
        contents.set(seed, next.value);
      } finally {
        await training.return(undefined);
      }
    }
  } finally {
    bar.stop();
  }
  // Parts may have been of other code, if the seeds were not.
  otherSources.print();
  return {seeds: [...contents].sort(([one], [other]) => one - other).map(([, content]) => content)};
}

async function save(write: typeof writeFileAtomically, folder: string, seed: number, text: string): Promise<void> {
  try {
    await write(seedPath(folder, seed), text);
  } catch (error) {
    const advice = `Seed ${seed} is lost, seeds that were written are not: put that right, and give the same command again.`;
    throw unwritable(folder, error, advice);
  }
}
