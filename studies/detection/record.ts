import type {Box} from '../kit/scenes/box';
import type {TurnRecord} from '../kit/trainInTurn';
import type {DetectionQuality} from './averagePrecision';

/** A test scene of the sheet, with what the detector of {@link SHOWN} found in it. */
export interface SheetScene {
  /** A PNG as a `data:` address. */
  picture: string;
  objects: {label: number; box: Box}[];
  /** Those with a score of at least 0.5. */
  detections: {label: number; score: number; box: Box; isRight: boolean}[];
}

/** The rule whose detections the sheet shows. */
export const SHOWN = 'hardNegatives 3 : 1';
/** Scenes of the sheet. */
export const SHEET = 16;

/** The measurements of one seed. */
export interface DetectionRecord {
  rules: TurnRecord<DetectionQuality>[];
  /** Of the first seed. */
  sheet?: SheetScene[];
}
