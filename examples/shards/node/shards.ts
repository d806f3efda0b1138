import {writeFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {Presets, SingleBar} from 'cli-progress';
import type {DigitData} from '../../mnist/data/digits';
import {FailedError, messageOf} from '../../mnist/node/errors';
import {versions} from '../../mnist/node/versions';
import {runNetwork} from '../network/runNetwork';
import {ShardError} from '../shardError';
import {runThreads} from '../threads/runThreads';
import {useWasm} from '../training/backend';
import {checkWritable, readCheckpoint} from '../training/checkpoint';
import {digitsOf} from '../training/digitBatches';
import {accuracyOf, oneProcess} from '../training/oneProcess';
import type {OnStep, ShardResult} from '../training/results';
import type {Settings} from '../training/settings';
import {figuresOf, type RunFigures, tableOf} from './figures';
import {HELP} from './help';
import {type Options, readOptions} from './options';

const print = (text = '') => process.stdout.write(`${text}\n`);

/**
 * Runs the example from the command line.
 *
 * @returns the exit code 0.
 * @throws UsageError or FailedError with a message for people.
 */
export async function shards(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options.help) {
    print(HELP);
    return 0;
  }
  await checkCheckpoints(options);
  await useWasm();
  const {settings} = options;
  const digits = await digitsOf(settings);
  const {rows, k, steps} = settings;
  print(`Data: ${digits.description}`);
  print(`The hardest ${k} of ${rows} rows, over all shards, in ${steps} steps\n`);
  const single = await shown('one process', steps, (onStep) => oneProcess(settings, digits, onStep));
  const whole = {weights: single.weights as Float32Array};
  const figures = [figuresOf('one process', [single], whole, await accuracyOf(whole.weights, settings, digits))];
  for (const count of options.shards) {
    for (const how of ['threads', 'network'] as const) {
      if (options.mode !== how && options.mode !== 'both') continue;
      figures.push(await runOf(how, {...settings, shards: count}, options, digits, whole));
    }
  }
  print(`\n${tableOf(figures)}\n`);
  print('Bytes are those of a shard in a step. "Off by" is the largest difference from the weights of one process,');
  print('in parts of the largest weight.');
  if (options.json) await write(options.json, options, digits, figures);
  if (figures.every(({isEqual}) => isEqual)) return 0;
  throw new FailedError('shards: the weights of all shards must be equal, got others.');
}

/**
 * Checks, before anything is trained, that checkpoints can be written, and that a run can resume
 * from the one that is there.
 */
async function checkCheckpoints({checkpoints, resume, settings, shards: [count]}: Options): Promise<void> {
  if (!checkpoints) return;
  try {
    await checkWritable(checkpoints.folder);
    if (resume) await readCheckpoint(checkpoints.folder, {...settings, shards: count as number});
  } catch (error) {
    if (!(error instanceof ShardError)) throw error;
    throw new FailedError(error.message, {cause: error});
  }
}

async function runOf(
  how: 'threads' | 'network',
  settings: Settings,
  {checkpoints, resume}: Options,
  digits: DigitData,
  single: {weights: Float32Array},
): Promise<RunFigures> {
  try {
    const results = await shown(`${settings.shards} ${how}`, settings.steps, async (onStep) => {
      const saving = {checkpoints, onStep};
      if (how === 'network') return runNetwork(settings, {...saving, resume});
      const initial = resume && checkpoints ? await readCheckpoint(checkpoints.folder, settings) : undefined;
      return runThreads(settings, {...saving, initial});
    });
    const [first] = results as [ShardResult];
    return figuresOf(how, results, single, await accuracyOf(first.weights as Float32Array, settings, digits));
  } catch (error) {
    if (!(error instanceof ShardError)) throw error;
    const remedy = checkpoints ? ' Resume with --resume.' : '';
    throw new FailedError(`${error.message}${remedy}`, {cause: error});
  }
}

/** Shows a bar on a terminal while `run` takes its steps. */
async function shown<T>(name: string, steps: number, run: (onStep: OnStep) => Promise<T>): Promise<T> {
  if (!process.stdout.isTTY) {
    print(`${name} …`);
    return run(() => {});
  }
  const format = `${name.padEnd(11)}  {bar}  {value}/{total}`;
  const bar = new SingleBar({format, hideCursor: true, gracefulExit: false}, Presets.shades_classic);
  bar.start(steps, 0);
  try {
    return await run((step) => bar.update(step));
  } finally {
    bar.stop();
  }
}

async function write(path: string, {settings}: Options, digits: DigitData, runs: readonly RunFigures[]): Promise<void> {
  const machine = {cores: availableParallelism(), versions: versions()};
  const {timeout: _, shards: __, ...trained} = settings;
  const results = {...machine, settings: trained, data: digits.description, runs};
  try {
    await writeFile(path, `${JSON.stringify(results, null, 1)}\n`);
  } catch (error) {
    throw new FailedError(`shards: --json must be a file that can be written, got ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
