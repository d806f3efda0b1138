import type {TurnRecord} from '../kit/trainInTurn';
import type {SegmentationQuality} from './pixelScores';

/** A test scene of the sheet; pictures are PNGs as `data:` addresses. */
export interface SheetScene {
  picture: string;
  /** The kinds of its pixels. */
  truth: string;
  /** What the networks of {@link SHOWN} take them for. */
  found: string[];
}

/** The rules that the sheet shows. */
export const SHOWN = ['all pixels', 'aboveThreshold', 'topK 25 %'];
/** Scenes of the sheet. */
export const SHEET = 6;

/** The measurements of one seed. */
export interface SegmentationRecord {
  rules: TurnRecord<SegmentationQuality>[];
  /** Of the first seed. */
  sheet?: SheetScene[];
}
