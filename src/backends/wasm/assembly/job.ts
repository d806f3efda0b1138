/** A loop over tiles, which may be computed in any order. The numbers of its kind follow. */
@unmanaged
export class Job {
  /** Jobs so far. Threads sleep until it changes. */
  count: i32;
  /** Tiles that no thread has taken, tiles that have been computed, and all tiles. */
  left: i32;
  done: i32;
  tiles: i32;
  kind: i32;
  /** Memory for intermediate results: one piece for each thread. */
  scratch: usize;
  scratchSize: usize;
}
