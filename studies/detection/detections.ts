import {type Box, iouOf} from '../kit/scenes/box';
import {KINDS, SIDE} from '../kit/scenes/scene';
import {ANCHORS, decodeBox} from './anchors';

/** A digit that the detector sees. */
export interface Detection {
  /** 0 … 9. */
  label: number;
  score: number;
  box: Box;
}

/** What becomes of the predictions of a scene. */
export const DETECTION_PROTOCOL = {
  /** Smallest score of a detection. */
  least: 0.02,
  /** Largest overlap of two detections of one digit. */
  suppressed: 0.45,
  /** The best candidates of a digit that are compared with each other. */
  candidates: 100,
  /** Detections of a scene. COCO has 100; a scene has five digits at most. */
  most: 50,
} as const;

/**
 * The places of boxes that do not overlap a better one by more than a threshold, best first;
 * of equal scores the earlier.
 */
export function suppressOverlaps(boxes: readonly Box[], scores: readonly number[], threshold: number): number[] {
  const kept: number[] = [];
  for (const place of descendingPlaces(scores)) {
    const box = boxes[place] as Box;
    if (kept.every((other) => iouOf(box, boxes[other] as Box) <= threshold)) kept.push(place);
  }
  return kept;
}

/** The places of numbers, largest first; of equal ones the earlier. */
export const descendingPlaces = (numbers: ArrayLike<number>): number[] =>
  Array.from({length: numbers.length}, (_, place) => place).sort(
    (one, other) => (numbers[other] as number) - (numbers[one] as number) || one - other,
  );

/**
 * Turns the predictions for a scene into detections, best first.
 *
 * @param probabilities  `float32[P · 11]`, of each kind for each anchor.
 * @param offsets  `float32[P · 4]`.
 */
export function detectionsOf(
  probabilities: ArrayLike<number>,
  offsets: ArrayLike<number>,
  anchors: readonly Box[] = ANCHORS,
): Detection[] {
  const {least, candidates: most, suppressed} = DETECTION_PROTOCOL;
  const found: Detection[] = [];
  for (let label = 0; label < KINDS - 1; label++) {
    const scoreOf = (anchor: number) => probabilities[anchor * KINDS + label + 1] as number;
    const places = anchors.flatMap((_, anchor) => (scoreOf(anchor) >= least ? [anchor] : []));
    const candidates = descendingPlaces(places.map(scoreOf))
      .slice(0, most)
      .map((place) => places[place] as number);
    const boxes = candidates.map((anchor) => clipped(decodeBox(offsetsOf(offsets, anchor), anchors[anchor] as Box)));
    const scores = candidates.map(scoreOf);
    for (const place of suppressOverlaps(boxes, scores, suppressed)) {
      found.push({label, score: scores[place] as number, box: boxes[place] as Box});
    }
  }
  return descendingPlaces(found.map(({score}) => score))
    .slice(0, DETECTION_PROTOCOL.most)
    .map((place) => found[place] as Detection);
}

const offsetsOf = (offsets: ArrayLike<number>, anchor: number) =>
  [0, 1, 2, 3].map((place) => offsets[4 * anchor + place] as number);

const clipped = (box: Box): Box => box.map((edge) => Math.min(SIDE, Math.max(0, edge))) as unknown as Box;
