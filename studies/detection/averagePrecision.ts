/** @file How good detections are, as COCO defines it. */
import {iouOf} from '../kit/scenes/box';
import type {SceneObject} from '../kit/scenes/scene';
import {type Detection, descendingPlaces} from './detections';

/** A scene with what was found in it. */
export interface Judged {
  objects: readonly Pick<SceneObject, 'label' | 'box'>[];
  /** Best first. */
  detections: readonly Detection[];
}

/** A detection, and whether an object is matched to it. */
interface Verdict {
  label: number;
  score: number;
  isRight: boolean;
}

/** Overlaps 0.5, 0.55 … 0.95. */
export const OVERLAPS: readonly number[] = Array.from({length: 10}, (_, place) => (50 + 5 * place) / 100);
/** The overlap from which on a detection counts as right if only one is meant. */
export const HALF = 0.5;

/**
 * Matches the detections of a scene to its objects.
 *
 * Best first, each detection takes the free object of its label that it overlaps most, if by at
 * least `overlap`; of objects with the same overlap the later one, as pycocotools does.
 *
 * @returns a verdict for each detection, in their order.
 */
export function verdictsOf({objects, detections}: Judged, overlap: number): Verdict[] {
  const free = [...objects];
  return detections.map(({label, box, score}) => {
    let [best, most] = [-1, overlap];
    for (const [place, object] of free.entries()) {
      const shared = object.label === label ? iouOf(box, object.box) : -1;
      if (shared >= most) [best, most] = [place, shared];
    }
    if (best >= 0) free.splice(best, 1);
    return {label, score, isRight: best >= 0};
  });
}

/**
 * Average precision of verdicts on all scenes, at COCO's 101 recalls.
 *
 *     AP = (1/101) Σ_{r ∈ {0, 0.01 … 1}} max {precision(n) : recall(n) ≥ r},  0 if no n has it
 *
 * `n` counts the detections with the best scores, in all scenes together; equal scores stay in the
 * order of the scenes.
 *
 * Recalls are `i / 100`. The code of COCO has them from `linspace`, and some of those are one bit
 * larger or smaller. A recall that is a hundredth itself may then count for the next precision.
 *
 * @param objects  how many there are to find, at least 1.
 */
export function averagePrecision(verdicts: readonly Verdict[], objects: number): number {
  const precisions: number[] = [];
  const recalls: number[] = [];
  let right = 0;
  for (const place of descendingPlaces(verdicts.map(({score}) => score))) {
    right += (verdicts[place] as Verdict).isRight ? 1 : 0;
    precisions.push(right / (precisions.length + 1));
    recalls.push(right / objects);
  }
  for (let place = precisions.length - 2; place >= 0; place--) {
    precisions[place] = Math.max(precisions[place] as number, precisions[place + 1] as number);
  }
  let [total, place] = [0, 0];
  for (let percent = 0; percent <= 100; percent++) {
    while (place < recalls.length && (recalls[place] as number) < percent / 100) place++;
    total += precisions[place] ?? 0;
  }
  return total / 101;
}

/** Mean of the average precisions of the labels that some scene shows. */
export function meanAveragePrecision(scenes: readonly Judged[], overlap: number): number {
  const verdicts = scenes.flatMap((scene) => verdictsOf(scene, overlap));
  const shown = scenes.flatMap(({objects}) => objects.map(({label}) => label));
  const precisions = [...new Set(shown)].map((label) =>
    averagePrecision(
      verdicts.filter((verdict) => verdict.label === label),
      shown.filter((other) => other === label).length,
    ),
  );
  return precisions.reduce((sum, precision) => sum + precision, 0) / precisions.length;
}

/** How good a detector is. */
export interface DetectionQuality {
  /** Mean average precision at an overlap of 0.5. */
  map50: number;
  /** Mean over the overlaps 0.5, 0.55 … 0.95. */
  map: number;
  /** Of detections with a score of at least 0.5, matched at an overlap of 0.5. */
  falsePositives: number;
  recall: number;
  /**
   * False positives per scene at the score threshold with which 80 % of the digits are found; null
   * if no threshold has that.
   */
  falsePositivesAt80: number | null;
}

/** Score from which on a detection counts. */
export const COUNTED_SCORE = 0.5;
/** Recall at which false positives are compared. */
const COMPARED_RECALL = 0.8;

/** Judges the detections of some scenes. */
export function qualityOf(scenes: readonly Judged[]): DetectionQuality {
  const all = OVERLAPS.map((overlap) => meanAveragePrecision(scenes, overlap));
  const verdicts = scenes.flatMap((scene) => verdictsOf(scene, HALF));
  const objects = scenes.reduce((sum, scene) => sum + scene.objects.length, 0);
  const counted = verdicts.filter(({score}) => score >= COUNTED_SCORE);
  const right = counted.filter(({isRight}) => isRight).length;
  return {
    map50: rounded(all[0] as number),
    map: rounded(all.reduce((sum, one) => sum + one, 0) / all.length),
    falsePositives: rounded((counted.length - right) / scenes.length),
    recall: rounded(right / objects),
    falsePositivesAt80: falsePositivesAt(verdicts, COMPARED_RECALL * objects, scenes.length),
  };
}

/** False positives per scene before the detection that completes `wanted` right ones. */
function falsePositivesAt(verdicts: readonly Verdict[], wanted: number, scenes: number): number | null {
  let [right, wrong] = [0, 0];
  for (const place of descendingPlaces(verdicts.map(({score}) => score))) {
    if ((verdicts[place] as Verdict).isRight) right++;
    else wrong++;
    if (right >= wanted) return rounded(wrong / scenes);
  }
  return null;
}

const rounded = (value: number) => Number(value.toFixed(5));
