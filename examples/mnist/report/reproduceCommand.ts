import type {Results} from '../experiment/results';
import {quotedForShell} from './quotedForShell';

/**
 * Builds the command that reproduces these results, ready to be pasted into a shell.
 *
 * Results of an earlier version hold no folder of digits, and their command has none.
 */
export function reproduceCommand({settings, data}: Results): string {
  const {steps, learningRate, seed, backend, runs} = settings;
  const options = {
    steps,
    lr: learningRate,
    seed,
    backend,
    // The form without a space needs no quotes.
    runs: runs.join(',').replaceAll(' random', '-random'),
    ...(data.source === 'drawn' && {digits: data.trainCount}),
    ...(data.folder !== undefined && {data: data.folder}),
  };
  const typed = Object.entries(options).map(([option, value]) => `--${option} ${quotedForShell(String(value))}`);
  if (data.anyDigits) typed.push('--any-digits');
  return `npm run mnist -- ${typed.join(' ')}`;
}
