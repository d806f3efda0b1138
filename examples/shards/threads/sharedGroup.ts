import type {ShardLosses} from 'ohem-tfjs';
import {lateError, type ShardError, shardError} from '../shardError';
import {START} from '../training/settings';

/**
 * Places in the control list, before one place per shard: the latest turn that it reached, from 1.
 *
 * FAILED is the shard that ended, from 1, or minus the shard that reported late ones.
 */
const [ARRIVED, TURN, FAILED, CONTROLS] = [0, 1, 2, 4] as const;

/** Places in the report of a shard on late ones, before one place per shard: 1 if it is late. */
const [PATIENCE, AT, REPORTS] = [0, 1, 2] as const;

/** Numbers of a shard beside its losses. */
const [STEP, ROWS, USABLE, COUNT, K, KEPT, VERSION, MODEL, FIGURES] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;

/** Bytes of a SHA-256. */
const FINGERPRINT = 32;

/** The memory that threads share. */
export interface SharedMemory {
  shards: number;
  k: number;
  size: number;
  control: SharedArrayBuffer;
  reports: SharedArrayBuffer;
  figures: SharedArrayBuffer;
  losses: SharedArrayBuffer;
  gradients: SharedArrayBuffer;
  sum: SharedArrayBuffer;
  fingerprints: SharedArrayBuffer;
}

/** Makes the memory for gradients of `size` numbers. */
export function sharedMemory({shards, k}: {shards: number; k: number}, size: number): SharedMemory {
  return {
    ...{shards, k, size},
    control: new SharedArrayBuffer(4 * (CONTROLS + shards)),
    reports: new SharedArrayBuffer(4 * (REPORTS + shards) * shards),
    figures: new SharedArrayBuffer(4 * FIGURES * shards),
    losses: new SharedArrayBuffer(4 * k * shards),
    gradients: new SharedArrayBuffer(4 * size * shards),
    sum: new SharedArrayBuffer(4 * size),
    fingerprints: new SharedArrayBuffer(FINGERPRINT * shards),
  };
}

/** Ends the run of all threads: those that wait throw. `shard` is the one that ended. */
export function failAll(memory: SharedMemory, shard: number): void {
  endAll(memory, shard + 1);
}

function endAll({control}: SharedMemory, reason: number): void {
  const controls = new Int32Array(control);
  Atomics.compareExchange(controls, FAILED, 0, reason);
  Atomics.add(controls, TURN, 1);
  Atomics.notify(controls, TURN);
}

/** The report of a shard on late ones: only it writes there, and only before it is read. */
const reportOf = ({reports, shards}: SharedMemory, shard: number) =>
  new Int32Array(reports, 4 * (REPORTS + shards) * shard, REPORTS + shards);

/** Ends the run of all threads because some of them are late; all throw the same error. */
function failLate(memory: SharedMemory, shard: number, late: readonly number[], patience: number, step: number): void {
  const report = reportOf(memory, shard);
  report.set([patience, step]);
  for (const other of late) report[REPORTS + other] = 1;
  endAll(memory, -(shard + 1));
}

/** What ended the run of all threads; undefined if nothing did. */
function endIn(memory: SharedMemory, step: number): ShardError | undefined {
  const failed = Atomics.load(new Int32Array(memory.control), FAILED);
  if (failed === 0) return undefined;
  if (failed > 0) return shardError(`shard ${failed - 1}`, 'stay until all have finished', 'its end', step);
  const report = reportOf(memory, -failed - 1);
  const late = Array.from(report.subarray(REPORTS).keys()).filter((shard) => report[REPORTS + shard] === 1);
  return lateError(late, report[PATIENCE] as number, 'nothing', report[AT] as number);
}

/** Builds what waits until all threads are there; throws if one has ended, or is late. */
function barrierOf(memory: SharedMemory, shard: number, timeout: number): (step: number) => void {
  const control = new Int32Array(memory.control);
  const reached = control.subarray(CONTROLS);
  const checkAlive = (step: number) => {
    const end = endIn(memory, step);
    if (end) throw end;
  };
  return (step) => {
    checkAlive(step);
    const turn = Atomics.load(control, TURN);
    const patience = turn === 0 ? START * timeout : timeout;
    Atomics.store(reached, shard, turn + 1);
    if (Atomics.add(control, ARRIVED, 1) === memory.shards - 1) {
      Atomics.store(control, ARRIVED, 0);
      Atomics.add(control, TURN, 1);
      Atomics.notify(control, TURN);
    }
    while (!hasTurned(control, turn, patience)) {
      const late = [...reached.keys()].filter((other) => Atomics.load(reached, other) <= turn);
      // If none is late any more, the last one is about to end the turn.
      if (late.length > 0) failLate(memory, shard, late, patience, step);
    }
    checkAlive(step);
  };
}

/**
 * Waits until the turn is over; false if that takes more than `patience` milliseconds.
 *
 * A wake-up alone means nothing: that of the turn before may come late, to a thread that waits
 * again already.
 */
function hasTurned(control: Int32Array, turn: number, patience: number): boolean {
  const end = performance.now() + patience;
  while (Atomics.load(control, TURN) === turn) {
    const left = end - performance.now();
    if (left <= 0) return false;
    Atomics.wait(control, TURN, turn, left);
  }
  return true;
}

/** What each shard writes, in the order of the shards. */
function viewsOf(memory: SharedMemory) {
  const {shards, k, size} = memory;
  const each = <T>(view: (shard: number) => T) => Array.from({length: shards}, (_, shard) => view(shard));
  return {
    figures: each((shard) => new Int32Array(memory.figures, 4 * FIGURES * shard, FIGURES)),
    losses: each((shard) => new Float32Array(memory.losses, 4 * k * shard, k)),
    parts: each((shard) => new Float32Array(memory.gradients, 4 * size * shard, size)),
    fingerprints: each((shard) => Buffer.from(memory.fingerprints, FINGERPRINT * shard, FINGERPRINT)),
  };
}

/** The losses that a shard has written. */
function lossesIn(figures: Int32Array, losses: Float32Array, shard: number): ShardLosses {
  const at = (place: number) => figures[place] as number;
  const counts = {k: at(K), rows: at(ROWS), usable: at(USABLE), model: at(MODEL)};
  return {version: at(VERSION), shard, step: at(STEP), ...counts, losses: losses.slice(0, at(COUNT))};
}

/** Joins the threads that share a memory, and take each step together. */
export function sharedGroup(memory: SharedMemory, shard: number, timeout: number) {
  const {shards, size} = memory;
  const {figures, losses, parts, fingerprints} = viewsOf(memory);
  const sum = new Float32Array(memory.sum);
  const own = figures[shard] as Int32Array;
  const waitAt = barrierOf(memory, shard, timeout);
  let step = 0;
  const barrier = () => waitAt(step);
  return {
    /** The exchange of `globalTopK`. */
    exchange(mine: ShardLosses): ShardLosses[] {
      step = mine.step;
      losses[shard]?.set(mine.losses);
      const {rows, usable, version, model = 0} = mine;
      const values = {
        [STEP]: step,
        [ROWS]: rows,
        [USABLE]: usable,
        [MODEL]: model,
        [COUNT]: mine.losses.length,
        [K]: mine.k,
        [VERSION]: version,
      };
      for (const [place, value] of Object.entries(values)) own[Number(place)] = value;
      barrier();
      return figures.map((of, i) => lossesIn(of, losses[i] as Float32Array, i));
    },
    /**
     * Adds gradients up over all threads, each a stretch of them, always in the order of the
     * shards.
     *
     * @returns the sum, which is valid until the next call, and how many rows all shards learned
     *   from.
     */
    allReduce(write: (part: Float32Array) => void, kept: number): {sum: Float32Array; kept: number} {
      write(parts[shard] as Float32Array);
      own[KEPT] = kept;
      barrier();
      const [begin, end] = [shard, shard + 1].map((edge) => Math.floor((edge * size) / shards)) as [number, number];
      for (let i = begin; i < end; i++) {
        let total = 0;
        for (const part of parts) total += part[i] as number;
        sum[i] = total;
      }
      barrier();
      return {sum, kept: figures.reduce((total, of) => total + (of[KEPT] as number), 0)};
    },
    /** Throws in all threads if they have other weights or momenta than shard 0. */
    checkEqual(fingerprint: string): void {
      fingerprints[shard]?.write(fingerprint, 'hex');
      barrier();
      const other = fingerprints.findIndex((of) => !of.equals(fingerprints[0] as Buffer));
      if (other >= 0) throw shardError(`shard ${other}`, 'have the weights of shard 0', 'others', step);
    },
    /** Ends the run of all threads, because this one cannot continue. */
    fail: () => failAll(memory, shard),
  };
}
