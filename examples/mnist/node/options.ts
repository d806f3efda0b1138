import {parseArgs} from 'node:util';
import {LARGEST_SEED} from '../experiment/batches';
import type {Settings} from '../experiment/results';
import {parseRuns} from '../experiment/runs';
import {DEFAULT_SAVE_EVERY} from './defaults';
import {messageOf, UsageError} from './errors';

/** What was typed; what was not is not there. */
export interface Options {
  help?: true;
  settings: Partial<Settings>;
  data?: string;
  anyDigits?: boolean;
  /** How many digits to draw. */
  digits?: number;
  /** Folder of the results; without it a default one, or the next with a number. */
  out?: string;
  /** Threads of the wasm backend. */
  threads?: number;
  /** Seconds between two checkpoints. */
  saveEvery: number;
  /** Folder of the experiment to resume. */
  resume?: string;
  fresh?: true;
}

const OPTIONS = {
  data: {type: 'string'},
  'any-digits': {type: 'boolean'},
  digits: {type: 'string'},
  steps: {type: 'string'},
  runs: {type: 'string'},
  lr: {type: 'string'},
  seed: {type: 'string'},
  backend: {type: 'string'},
  threads: {type: 'string'},
  out: {type: 'string'},
  resume: {type: 'string'},
  fresh: {type: 'boolean'},
  'save-every': {type: 'string'},
  help: {type: 'boolean', short: 'h'},
} as const;

type OptionName = keyof typeof OPTIONS;

/** How the settings are typed. */
export const SETTING_OPTIONS: Record<keyof Settings, string> = {
  steps: '--steps',
  learningRate: '--lr',
  seed: '--seed',
  backend: '--backend',
  runs: '--runs',
};

/**
 * Reads the options of the command line.
 *
 * @throws UsageError that names the first option that is unknown, has no value, or a wrong one; or
 *   two that exclude each other.
 */
export function readOptions(argv: readonly string[]): Options {
  const typed = typedOptions(argv);
  const read = <T>(name: OptionName, convert: (value: string, option: string) => T): T | undefined => {
    const value = typed.get(name);
    return value === undefined ? undefined : convert(value, `--${name}`);
  };
  const options: Options = defined({
    help: typed.has('help') || undefined,
    settings: defined<Partial<Settings>>({
      steps: read('steps', (value, option) => integer(value, option, 1, Number.MAX_SAFE_INTEGER)),
      learningRate: read('lr', positive),
      seed: read('seed', (value, option) => integer(value, option, 0, LARGEST_SEED)),
      backend: read('backend', backend),
      runs: read('runs', runNames),
    }),
    data: typed.get('data'),
    anyDigits: typed.has('any-digits') || undefined,
    digits: read('digits', (value, option) => integer(value, option, 6, 1_000_000)),
    threads: read('threads', (value, option) => integer(value, option, 1, Number.MAX_SAFE_INTEGER)),
    out: typed.get('out'),
    saveEvery: read('save-every', notNegative) ?? DEFAULT_SAVE_EVERY,
    resume: typed.get('resume'),
    fresh: typed.has('fresh') || undefined,
  });
  checkTogether(typed);
  return options;
}

/** Names and values, without anything made of them; of options that are there twice the last. */
function typedOptions(argv: readonly string[]): Map<OptionName, string> {
  const {tokens} = parseArgs({args: [...argv], options: OPTIONS, strict: false, tokens: true});
  const typed = new Map<OptionName, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') {
      const remedy = 'npm takes options for itself that do not stand behind --, as in: npm run mnist -- --steps 10';
      throw new UsageError(`mnist: arguments must be options, got ${token.value}. ${remedy}.`);
    }
    if (token.kind === 'option') {
      const {name, rawName, value} = token;
      if (!isOptionName(name)) throw new UsageError(`mnist: options must be those that --help names, got ${rawName}.`);
      checkValue(name, value, token.inlineValue);
      typed.set(name, value ?? '');
    }
  }
  return typed;
}

const isOptionName = (name: string): name is OptionName => Object.hasOwn(OPTIONS, name);

function checkValue(name: OptionName, value: string | undefined, isInline: boolean | undefined): void {
  if (OPTIONS[name].type === 'boolean') {
    if (value !== undefined) throw new UsageError(`mnist: --${name} must stand without a value, got ${value}.`);
  } else if (!value || (!isInline && value.startsWith('--'))) {
    throw new UsageError(`mnist: --${name} must have a value, got ${value || 'none'}.`);
  }
}

/** Refuses options that contradict each other. */
function checkTogether(typed: Map<OptionName, string>): void {
  const refuse = (one: OptionName, other: OptionName) => {
    if (typed.has(one) && typed.has(other)) {
      throw new UsageError(`mnist: --${one} must not stand beside --${other}, got both.`);
    }
  };
  refuse('digits', 'data');
  refuse('fresh', 'resume');
  refuse('out', 'resume');
  if (typed.has('any-digits') && !typed.has('data')) {
    throw new UsageError('mnist: --any-digits must stand beside --data, got it alone.');
  }
}

function integer(value: string, option: string, least: number, largest: number): number {
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= least && number <= largest) return number;
  const constraint =
    largest === Number.MAX_SAFE_INTEGER ? `an integer >= ${least}` : `an integer from ${least} to ${largest}`;
  throw new UsageError(`mnist: ${option} must be ${constraint}, got ${value}.`);
}

function positive(value: string, option: string): number {
  const number = Number(value);
  if (number > 0 && number < Number.POSITIVE_INFINITY) return number;
  throw new UsageError(`mnist: ${option} must be a number > 0, got ${value}.`);
}

function notNegative(value: string, option: string): number {
  const number = value.trim() === '' ? Number.NaN : Number(value);
  if (number >= 0) return number;
  throw new UsageError(`mnist: ${option} must be a number >= 0, got ${value}.`);
}

function backend(value: string, option: string): Settings['backend'] {
  if (value === 'wasm' || value === 'cpu') return value;
  throw new UsageError(`mnist: ${option} must be wasm or cpu, got ${value}.`);
}

function runNames(value: string, option: string): string[] {
  try {
    return parseRuns(value, `mnist: ${option}`).map(({name}) => name);
  } catch (error) {
    throw new UsageError(messageOf(error), {cause: error});
  }
}

/** Leaves out what is undefined. */
function defined<T extends object>(values: {[Key in keyof T]: T[Key] | undefined}): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
