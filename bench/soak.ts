/**
 * @file `npm run bench:soak`: shards over a network, of which one is killed at a random moment,
 *   again and again. Each time the run has to end with an error that names it, and to be resumed;
 *   at the end the weights have to be those of an undisturbed run.
 */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {runNetwork} from '../examples/shards/network/runNetwork';
import {ShardError} from '../examples/shards/shardError';
import {readCheckpoint} from '../examples/shards/training/checkpoint';
import {DEFAULTS, type Settings} from '../examples/shards/training/settings';

const {values} = parseArgs({
  options: {
    steps: {type: 'string', default: '2000'},
    kills: {type: 'string', default: '20'},
    shards: {type: 'string', default: '2'},
    /** A file for the figures. */
    out: {type: 'string'},
  },
});

const [steps, kills, shards] = [values.steps, values.kills, values.shards].map(Number) as [number, number, number];
const settings: Settings = {...DEFAULTS, shards, steps, rows: 64, k: 16, hidden: 16, digits: 600, timeout: 60_000};
const EVERY = 10;

/**
 * One run that was killed: when, which shard, the words with which all others ended, and how long
 * that took.
 */
interface Kill {
  shard: number;
  /** Steps that shard 0 had taken. */
  step: number;
  message: string;
  /** Milliseconds from the kill to the end of all processes. */
  ms: number;
  /** Steps in the checkpoint that the next run began with. */
  resumedAt: number;
}

/** Runs from the checkpoint, and kills a shard some milliseconds after a step. */
async function killedRun(folder: string, shard: number, at: number, delay: number): Promise<Kill | undefined> {
  let [step, killedAt] = [0, 0];
  let kill = () => {};
  const begun = (await readCheckpoint(folder, settings))?.step ?? 0;
  try {
    await runNetwork(settings, {
      checkpoints: {folder, every: EVERY},
      resume: true,
      onProcesses: (processes) => {
        kill = () => {
          killedAt = performance.now();
          processes[shard]?.kill('SIGKILL');
        };
      },
      onStep: (taken) => {
        step = taken;
        if (taken === Math.max(at, begun + 1)) setTimeout(kill, delay);
      },
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof ShardError) || killedAt === 0) throw error;
    const resumedAt = (await readCheckpoint(folder, settings))?.step ?? 0;
    return {shard, step, message: error.message, ms: performance.now() - killedAt, resumedAt};
  }
}

const folder = await mkdtemp(join(tmpdir(), 'soak-'));
try {
  const found: Kill[] = [];
  for (let i = 0; i < kills; i++) {
    // One kill in each stretch of the run, at any step of it, at any moment of a step.
    const at = Math.floor(((i + Math.random()) * 0.95 * steps) / kills) + 1;
    const shard = Math.floor(Math.random() * shards);
    const kill = await killedRun(folder, shard, at, Math.random() * 20);
    if (!kill) throw new Error(`soak: the run of kill ${i} must not finish`);
    if (!kill.message.startsWith(`shards: shard ${shard} must stay until all have finished`)) {
      throw new Error(`soak: the error must name shard ${shard}, got ${kill.message}`);
    }
    found.push(kill);
    process.stdout.write(`${i + 1}/${kills}: ${kill.message} Resumed at ${kill.resumedAt}.\n`);
  }
  const resumed = await runNetwork(settings, {checkpoints: {folder, every: EVERY}, resume: true});
  const undisturbed = await runNetwork(settings);
  const prints = [...resumed, ...undisturbed].map(({fingerprint}) => fingerprint);
  const isEqual = new Set(prints).size === 1;
  const longest = Math.max(...found.map(({ms}) => ms));
  process.stdout.write(`${steps} steps, ${kills} kills: weights ${isEqual ? 'equal' : 'NOT EQUAL'}; `);
  process.stdout.write(`all processes ended within ${longest.toFixed(0)} ms of a kill\n`);
  if (values.out) {
    const figures = {steps, shards, every: EVERY, isEqual, longestEndMs: Math.round(longest), kills: found};
    await writeFile(values.out, `${JSON.stringify(figures, null, 1)}\n`);
  }
  process.exitCode = isEqual ? 0 : 1;
} finally {
  await rm(folder, {recursive: true, force: true});
}
