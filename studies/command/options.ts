import {parseArgs} from 'node:util';
import {messageOf, UsageError} from '../../examples/mnist/node/errors';
import type {Study} from '../kit/study';

/** What was typed. */
export type Options =
  | {help: true}
  | {study: Study; seeds: number; steps: number; threads?: number; out: string; data?: string};

export const DEFAULT_OUT = 'study-results';

/**
 * Reads the command line of `npm run study`.
 *
 * @throws UsageError that names what is unknown, missing or wrong.
 */
export function readOptions(argv: readonly string[], studies: readonly Study[]): Options {
  const {values, positionals} = parse(argv);
  if (values.help) return {help: true};
  const names = studies.map(({name}) => name).join(', ');
  const [name, ...others] = positionals;
  const study = studies.find((other) => other.name === name);
  if (!study) throw new UsageError(`study: NAME must be one of ${names}, got ${name ?? 'none'}.`);
  if (others.length > 0) throw new UsageError(`study: NAME must stand alone, got ${others.join(' ')} beside it.`);
  const threads = count('--threads', values.threads);
  const idle = (['seeds', 'steps', 'threads', 'data'] as const).find((option) => values[option] !== undefined);
  if (study.isRedrawn && idle) {
    throw new UsageError(`study: --${idle} must be omitted for ${study.name}, which draws committed results.`);
  }
  return {
    study,
    seeds: count('--seeds', values.seeds) ?? study.seeds,
    steps: count('--steps', values.steps) ?? study.steps,
    out: values.out ?? DEFAULT_OUT,
    ...(threads !== undefined && {threads}),
    ...(values.data !== undefined && {data: values.data}),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        seeds: {type: 'string'},
        steps: {type: 'string'},
        threads: {type: 'string'},
        out: {type: 'string'},
        data: {type: 'string'},
        help: {type: 'boolean', short: 'h'},
      },
    });
  } catch (error) {
    throw new UsageError(`study: ${messageOf(error)}`, {cause: error});
  }
}

function count(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d+$/.test(value) ? Number(value) : 0;
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new UsageError(`study: ${option} must be an integer >= 1, got ${value || 'nothing'}.`);
}
