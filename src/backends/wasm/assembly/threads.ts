import {Job} from './job';

/** Computes one tile: the function of jobs.ts, which has a module of its own. */
declare function compute(job: Job, tile: i32, thread: i32): void;

const COUNT = offsetof<Job>('count');
const LEFT = offsetof<Job>('left');
const DONE = offsetof<Job>('done');

/** Reads of a number before a thread sleeps until it changes: a thread takes long to wake. */
const SPINS = 20000;

/** Computes a job on all threads. The calling thread takes tiles too, while the others wake. */
export function share(job: Job): void {
  const place = changetype<usize>(job);
  // All tiles of the last job are done, so no thread changes it now.
  job.done = 0;
  // Here the job begins: a thread that is late may take a tile before it is notified.
  atomic.store<i32>(place, job.tiles, LEFT);
  atomic.add<i32>(place, 1, COUNT);
  atomic.notify(place + COUNT);
  takeTiles(job, 0);
  for (let spins = 0; spins < SPINS; spins++) if (atomic.load<i32>(place, DONE) === job.tiles) return;
  for (;;) {
    const done = atomic.load<i32>(place, DONE);
    if (done === job.tiles) return;
    atomic.wait<i32>(place + DONE, done, -1);
  }
}

/** Computes tiles of all jobs to come. Never returns. */
export function work(job: Job, thread: i32): void {
  const place = changetype<usize>(job);
  let count = 0;
  for (;;) {
    atomic.wait<i32>(place + COUNT, count, -1);
    count = atomic.load<i32>(place, COUNT);
    takeTiles(job, thread);
  }
}

/**
 * Computes tiles until none is left. Until a tile is taken, the job may end and another may begin,
 * so nothing of it is read before. After the last tile it may, too: then `tiles` may be those of
 * the next job, and a notification in vain is harmless. A tile must not trap: the calling thread
 * would wait for it forever.
 */
function takeTiles(job: Job, thread: i32): void {
  const place = changetype<usize>(job);
  for (;;) {
    const tile = atomic.sub<i32>(place, 1, LEFT) - 1;
    if (tile < 0) return;
    compute(job, tile, thread);
    if (atomic.add<i32>(place, 1, DONE) + 1 === job.tiles) atomic.notify(place + DONE);
  }
}
