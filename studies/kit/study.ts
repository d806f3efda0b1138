import type {TopLevelSpec} from 'vega-lite';
import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import type {Theme} from '../../examples/mnist/report/theme';
import type {Parts} from './parts';

/**
 * What decides the numbers of a study, beside seed and versions; plain JSON, so that it can be
 * compared.
 */
export interface StudySettings {
  /** Of each training run; epochs where a study counts those. */
  steps: number;
  [name: string]: unknown;
}

/** The results of a study, from all of its seeds. */
export interface StudyReport {
  /** Plain JSON: what the document and its tables are made from. */
  summary: object;
  /** By file name, without its end. */
  figures: Record<string, (theme: Theme) => TopLevelSpec>;
}

/**
 * A question that is answered by the same training runs for several seeds.
 *
 * One seed is the unit that is kept: `train` goes through all that belongs to it, and what it
 * returns is the file of that seed.
 */
export interface Study<Seed = unknown> {
  name: string;
  /** One line for the help. */
  about: string;
  /** How many seeds and steps there are by default. */
  seeds: number;
  steps: number;
  settings(steps: number): StudySettings;
  /** The data of a study that uses no digits; such a study needs no `--data`. Omit for MNIST. */
  ownData?: string;
  /**
   * Whether it draws results that are committed, and trains nothing. Each call reads them again,
   * and keeps no seed.
   */
  isRedrawn?: true;
  /**
   * Yields the share of the seed that is done, after every step; leaving it early disposes what it
   * made.
   *
   * @param parts  what a seed of hours keeps on its way; nothing is kept if it is omitted.
   */
  train(
    seed: number,
    digits: TrainAndTest,
    settings: StudySettings,
    parts?: Parts,
  ): AsyncGenerator<number, Seed, undefined>;
  report(seeds: Seed[], settings: StudySettings): StudyReport;
}
