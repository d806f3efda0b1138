/**
 * @file A process that runs a study, slowly, and can be killed or interrupted:
 *   `killableStudy.ts <folder>`.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {watchInterrupts} from '../../examples/mnist/node/interrupt';
import {runStudy} from '../../studies/command/runStudy';
import {countingProvenance, countingStudy, noDigits} from './countingStudy';

const [folder] = process.argv.slice(2) as [string];
const {exitCode, stop} = watchInterrupts();
const outcome = await runStudy({
  study: countingStudy({pause: () => sleep(10)}),
  provenance: countingProvenance(),
  digits: noDigits,
  seeds: 3,
  folder,
  output: process.stdout,
  exitCode,
});
stop();
process.exitCode = 'exitCode' in outcome ? outcome.exitCode : 0;
