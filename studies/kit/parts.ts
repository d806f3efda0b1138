/**
 * Results that are smaller than a seed: what is kept here is not lost when the study is killed in
 * the middle of a seed.
 */
export interface Shelf {
  /** Finds what an earlier call kept under a name; undefined if there is none. */
  find<Part>(name: string): Promise<Part | undefined>;
  /** @param content  plain JSON. */
  keep(name: string, content: unknown): Promise<void>;
}

/** The parts that the training run of a seed can find and keep. */
export interface Parts {
  /** Those that all seeds have in common. */
  ofStudy: Shelf;
  /** Those of this seed, which are removed when the seed is whole. */
  ofSeed: Shelf;
}

const EMPTY: Shelf = {find: async () => undefined, keep: async () => {}};

/** Keeps nothing: every part is made again. */
export const NO_PARTS: Parts = {ofStudy: EMPTY, ofSeed: EMPTY};
