import type {DigitData} from '../data/digits';
import type {Backend, LossHistograms, Run, RunResult, Settings} from '../experiment/results';

/** What the page and its worker say to each other. The page has no tfjs, the worker has no page. */

/** A backend as this browser has it. */
export interface Offer {
  backend: Backend;
  available: boolean;
  /** A GPU rendered in software, slower than wasm. */
  isSoftware: boolean;
  /** What it runs on; where it is not available, why, and what to do. */
  note: string;
}

/** Which digits to train on. */
export type DataRequest = {kind: 'drawn'; count: number} | {kind: 'files'; files: File[]} | {kind: 'download'};

/** The digits in use, in words and numbers. */
export type DataSummary = Pick<DigitData, 'source' | 'description'> & {trainCount: number; testCount: number};

export type ToWorker =
  | {type: 'load'; data: DataRequest}
  | {type: 'begin'; settings: Settings; data: DataRequest; shown: number; isPaused: boolean}
  | {type: 'pause'}
  | {type: 'resume'}
  /** One step of every run, then pause again. */
  | {type: 'step'}
  | {type: 'backend'; backend: Backend}
  /** Whose batch is to be seen, by its place among the runs. */
  | {type: 'show'; run: number}
  | {type: 'end'};

/** One digit of a wall. */
export interface Tile {
  row: number;
  label: number;
  /** What the network takes it for after the step. */
  guess: number;
  /** Grey values of 28 × 28 pixels. */
  image: Uint8Array;
}

/** One of the hardest of the batch. */
export interface BatchTile extends Tile {
  loss: number;
  kept: boolean;
}

/** One of the most mined of the run so far. */
export interface LedgerTile extends Tile {
  seen: number;
  mined: number;
  meanLoss: number;
}

/** The digits of a batch in little, in the order of the batch. */
export interface BatchPicture {
  /** Digits in the picture: all rows of a batch, except for very large ones. */
  count: number;
  /** Pixels along a side of each. */
  side: number;
  /** Grey values, `count · side²`. */
  pixels: Uint8Array;
  /** 1 for each that was backpropagated, else 0. */
  kept: Uint8Array;
}

/** What one run looks like from inside, after one of its steps. */
export interface View {
  run: number;
  step: number;
  picture: BatchPicture;
  histograms: LossHistograms;
  hardest: BatchTile[];
  mostMined: LedgerTile[];
  msPerStep: number;
  tensors: number;
  strategy: string;
  why: string;
}

/** The curves of a run, whole or from one step on. */
export type Curves = Pick<RunResult, 'selectedLoss' | 'testAccuracy'>;

export type FromWorker =
  | {type: 'offers'; offers: Offer[]; preferred: Backend}
  /** What it is about, where that takes a while. */
  | {type: 'busy'; text: string}
  | {type: 'data'; data: DataSummary}
  /** The digits cannot be had: which file, what is wrong. */
  | {type: 'dataFailed'; message: string}
  /** Training begins or resumes, from these curves; all before them is to be forgotten. */
  | {type: 'running'; backend: Backend; runs: (Run & Curves)[]}
  | {type: 'stepped'; run: number; step: number; selectedLoss: number; testAccuracy: RunResult['testAccuracy']}
  | {type: 'view'; view: View}
  | {type: 'paused'}
  | {type: 'finished'}
  | {type: 'ended'}
  /** A backend cannot be used any more; training continues with the next, if there is one. */
  | {type: 'backendFailed'; backend: Backend; message: string; next?: Backend}
  /** Training cannot continue. */
  | {type: 'failed'; message: string};
