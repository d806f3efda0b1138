import {setImmediate as breathe} from 'node:timers/promises';
import {runExperiment} from '../experiment/experiment';
import type {Results, Settings} from '../experiment/results';
import {parseRuns} from '../experiment/runs';
import {DivergedError} from '../experiment/trainRun';
import {drawnWarning} from '../report/drawnWarning';
import {quotedForShell} from '../report/quotedForShell';
import {formatTable, summarise} from '../report/summaryTable';
import {writeReport} from '../report/writeReport';
import {useBackend} from './backend';
import {type Beginning, begin} from './begin';
import {isFinished, whereabouts, writeCheckpoint} from './checkpoint';
import {FailedError, messageOf, UsageError} from './errors';
import {HELP} from './help';
import {watchInterrupts} from './interrupt';
import {type Options, readOptions} from './options';
import {progressDisplay} from './progress';
import {versions} from './versions';

const output = process.stdout;
const print = (text = '') => output.write(`${text}\n`);

/**
 * Runs the experiment from the command line.
 *
 * @returns the exit code: 0, or 128 and the number of the signal that it was ended with.
 * @throws UsageError or FailedError with a message for people.
 */
export async function mnist(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options.help) {
    output.write(HELP);
    return 0;
  }
  const beginning = await begin(options, print);
  const {backend} = beginning.checkpoint.settings;
  checkRuns(beginning);
  checkThreads(options, backend);
  introduce(beginning);
  const threads = await useBackend(backend, options.threads);
  if (options.threads !== undefined) print(`Threads: ${threads}\n`);
  const exitCode = await run(beginning, options.saveEvery);
  if (exitCode !== undefined) {
    const {folder, checkpoint} = beginning;
    print(`\nStopped at ${whereabouts(checkpoint)}. Resume with: npm run mnist -- --resume ${quotedForShell(folder)}`);
    return exitCode;
  }
  await finish(beginning);
  return 0;
}

function checkRuns({checkpoint: {settings, data}}: Beginning): void {
  const tooLarge = parseRuns(settings.runs.join(',')).find(({n}) => n > data.trainCount);
  if (tooLarge) {
    const constraint = `have n <= ${data.trainCount}, the number of digits to train on`;
    throw new UsageError(`mnist: --runs must ${constraint}, got ${tooLarge.name}.`);
  }
}

function checkThreads({threads = 1}: Options, backend: Settings['backend']): void {
  if (backend !== 'wasm' && threads > 1) {
    throw new UsageError(`mnist: --threads must be 1 on ${backend}, got ${threads}.`);
  }
}

function introduce({checkpoint}: Beginning): void {
  const {settings, data, state} = checkpoint;
  const {runs, steps, learningRate, seed, backend} = settings;
  const count = (number: number) => number.toLocaleString('en-US');
  warn(resultsOf(checkpoint));
  print(`Data: ${data.description}; ${count(data.trainCount)} to train on, ${count(data.testCount)} to test on`);
  print(
    `Runs: ${runs.join(', ')}: ${count(steps)} steps each on ${backend}, learning rate ${learningRate}, seed ${seed}`,
  );
  if (isFinished(checkpoint)) print('All runs were over already: only the report is written again');
  else if (state.current || state.finished.length > 0) print(`Resuming at ${whereabouts(checkpoint)}`);
  print();
}

/**
 * Trains until all runs are over or somebody ends it; the checkpoint of the beginning moves along.
 */
async function run({folder, checkpoint, digits}: Beginning, saveEvery: number): Promise<number | undefined> {
  if (isFinished(checkpoint)) return undefined;
  const {settings, state} = checkpoint;
  const display = progressDisplay(settings, state.finished, output);
  const interrupts = watchInterrupts();
  let savedAt = Number.NEGATIVE_INFINITY;
  try {
    for await (const progress of runExperiment(digits, settings, state)) {
      display.show(progress);
      await breathe();
      const exitCode = interrupts.exitCode();
      if (exitCode || progress.step === settings.steps || performance.now() - savedAt >= 1000 * saveEvery) {
        checkpoint.state = await progress.state();
        await save(folder, checkpoint);
        savedAt = performance.now();
      }
      if (exitCode) return exitCode;
    }
    return undefined;
  } catch (error) {
    throw error instanceof DivergedError
      ? new FailedError(`${error.message} A smaller --lr may help.`, {cause: error})
      : error;
  } finally {
    interrupts.stop();
    display.stop();
  }
}

async function save(folder: string, checkpoint: Beginning['checkpoint']): Promise<void> {
  try {
    await writeCheckpoint(folder, checkpoint);
  } catch (error) {
    const constraint = 'be a folder that can be written to';
    throw new FailedError(`mnist: --out must ${constraint}, got ${folder} (${messageOf(error)}).`, {cause: error});
  }
}

async function finish({folder, checkpoint}: Beginning): Promise<void> {
  const results = resultsOf(checkpoint);
  const paths = await writeReport(results, folder);
  print(`\n${formatTable(summarise(results))}\n`);
  warn(results);
  print(`Written: ${paths.join(', ')}`);
}

const resultsOf = ({settings, data, request, state: {finished}}: Beginning['checkpoint']): Results => ({
  settings,
  data: {
    ...data,
    ...(request.folder !== undefined && {folder: request.folder}),
    ...(request.anyDigits && {anyDigits: true}),
  },
  versions: versions(),
  runs: finished,
});

/** Says loudly when the digits are not MNIST's. */
function warn(results: Results): void {
  const sentences = drawnWarning(results.data.source);
  if (sentences.length === 0) return;
  const frame = '*'.repeat(Math.max(...sentences.map(({length}) => length)));
  print([frame, ...sentences, frame, ''].join('\n'));
}
