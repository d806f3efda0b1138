import {access, constants, mkdir} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {useBackend} from '../../examples/mnist/node/backend';
import {watchInterrupts} from '../../examples/mnist/node/interrupt';
import {versions} from '../../examples/mnist/node/versions';
import {studies} from '../studies';
import {helpFor} from './help';
import type {Provenance} from './keptFile';
import {readOptions} from './options';
import {realDigits} from './realDigits';
import {NO_DIGITS, redraw} from './redraw';
import {runStudy} from './runStudy';
import {sourceHash} from './sourceHash';
import {unwritable} from './unwritable';
import {writeStudy} from './writeStudy';

/**
 * Runs a study from the command line.
 *
 * @returns the exit code: 0, or 128 and the number of the signal that it was ended with.
 * @throws UsageError or FailedError with a message for people.
 */
export async function studyCommand(argv: readonly string[], output: NodeJS.WritableStream): Promise<number> {
  const options = readOptions(argv, studies);
  const print = (text: string) => void output.write(`${text}\n`);
  if ('help' in options) {
    output.write(helpFor(studies));
    return 0;
  }
  const {study, seeds, steps, threads, data} = options;
  const folder = join(options.out, study.name);
  const digits = study.ownData === undefined ? await realDigits({folder: data, onMessage: print}) : NO_DIGITS;
  const source = 'description' in digits ? digits.description : study.ownData;
  const refuse = (error: unknown) => {
    throw unwritable(folder, error);
  };
  await mkdir(folder, {recursive: true}).catch(refuse);
  // A folder that is there may still be one to read only, and a seed takes minutes.
  await access(folder, constants.W_OK).catch(refuse);
  print(`${study.name}: ${study.about}\n${source}; results in ${folder}`);
  if (study.isRedrawn) {
    print(`Written: ${(await redraw(study, folder)).join(', ')}`);
    return 0;
  }
  const provenance: Provenance = {
    study: study.name,
    settings: study.settings(steps),
    versions: {...versions(), backend: 'wasm', machine: `${process.platform} ${process.arch}, ${cores()}`},
    source: await sourceHash(study.name),
  };
  const running = await useBackend('wasm', threads);
  if (threads !== undefined) print(`Threads: ${running}`);
  const interrupts = watchInterrupts();
  try {
    const {exitCode} = interrupts;
    const outcome = await runStudy({study, provenance, digits, seeds, folder, output, exitCode});
    if ('exitCode' in outcome) {
      print('Stopped. Give the same command again to resume after the last whole seed.');
      return outcome.exitCode;
    }
    const paths = await writeStudy(study, provenance, outcome.seeds, folder);
    print(`Written: ${paths.join(', ')}`);
    return 0;
  } finally {
    interrupts.stop();
  }
}

const cores = () => `${availableParallelism()} cores`;
