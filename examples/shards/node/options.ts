import {parseArgs} from 'node:util';
import {messageOf, UsageError} from '../../mnist/node/errors';
import {DEFAULTS, type Settings} from '../training/settings';

const MODES = ['threads', 'network', 'both'] as const;
type Mode = (typeof MODES)[number];

/** What was typed, with defaults for what was not. */
export interface Options {
  help: boolean;
  mode: Mode;
  /** How many shards each run has. */
  shards: number[];
  settings: Settings;
  checkpoints: {folder: string; every: number} | undefined;
  resume: boolean;
  json: string | undefined;
}

const text = {type: 'string'} as const;
const OPTIONS = {
  ...{mode: text, shards: text, rows: text, k: text, steps: text, hidden: text, lr: text, seed: text, data: text},
  ...{digits: text, timeout: text, checkpoints: text, 'save-every': text, json: text},
  resume: {type: 'boolean'},
  help: {type: 'boolean', short: 'h'},
} as const;

/** Reads the options. */
export function readOptions(argv: readonly string[]): Options {
  const {mode = 'both', shards = String(DEFAULTS.shards), lr, data, checkpoints, ...typed} = parsed(argv);
  if (!MODES.includes(mode as Mode)) throw refused('mode', `be one of ${MODES.join(', ')}`, mode);
  const count = (name: keyof typeof typed & string, otherwise: number) =>
    countOf(name, String(typed[name] ?? otherwise));
  const counts = shards.split(',').map((each) => countOf('shards', each));
  const settings: Settings = {
    ...DEFAULTS,
    ...{rows: count('rows', DEFAULTS.rows), k: count('k', DEFAULTS.k), steps: count('steps', DEFAULTS.steps)},
    ...{hidden: count('hidden', DEFAULTS.hidden), seed: count('seed', DEFAULTS.seed)},
    ...{digits: count('digits', DEFAULTS.digits), timeout: count('timeout', DEFAULTS.timeout)},
    ...(data !== undefined && {data}),
    learningRate: rateOf(lr ?? String(DEFAULTS.learningRate)),
  };
  if (settings.k > settings.rows) throw refused('k', `be <= ${settings.rows}, the rows of all shards`, settings.k);
  const most = Math.max(...counts);
  if (most > settings.rows) throw refused('shards', `be <= ${settings.rows}, the rows of a batch`, most);
  const folder = checkpoints && {folder: checkpoints, every: count('save-every', 50)};
  if (folder && (mode === 'both' || counts.length > 1)) {
    throw refused('checkpoints', 'be of one run, --mode threads or network and one number of shards', checkpoints);
  }
  if (typed.resume && !folder) throw refused('resume', 'go with --checkpoints', 'none');
  return {
    ...{help: typed.help ?? false, mode: mode as Mode, shards: counts, settings},
    ...{checkpoints: folder || undefined, resume: typed.resume ?? false, json: typed.json},
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({args: [...argv], options: OPTIONS}).values;
  } catch (error) {
    throw new UsageError(`shards: ${messageOf(error)}.`, {cause: error});
  }
}

function countOf(name: string, value: string): number {
  const count = Number(value);
  if (/^\d+$/.test(value) && count >= 1 && count <= 2 ** 31) return count;
  throw refused(name, 'be an integer >= 1', value);
}

function rateOf(value: string): number {
  const rate = Number(value);
  if (value.trim() !== '' && Number.isFinite(rate) && rate > 0) return rate;
  throw refused('lr', 'be a number > 0', value);
}

const refused = (name: string, constraint: string, got: unknown) =>
  new UsageError(`shards: --${name} must ${constraint}, got ${got}.`);
