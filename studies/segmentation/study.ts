import {anytimeRate} from '../kit/anytimeRate';
import {SCENE_PROTOCOL, type Scene} from '../kit/scenes/scene';
import {kindsPicture, scenePicture} from '../kit/scenes/scenePicture';
import {scenesOf, TEST_SEED} from '../kit/scenes/sceneSets';
import type {Study, StudySettings} from '../kit/study';
import {trainInTurn} from '../kit/trainInTurn';
import {type SegmentationLearner, segmentationLearner} from './learner';
import {batchOf, disposeBatch, type PixelBatch} from './pixelBatch';
import {pixelKinds} from './pixelKinds';
import {type SegmentationQuality, TOLERANCE} from './pixelScores';
import {type SegmentationRecord, SHEET, SHOWN, type SheetScene} from './record';
import {segmentationReport} from './report';
import {DIGIT_WEIGHT, rulesFor} from './rules';

/** What can be made smaller for a test. */
interface SegmentationSettings extends StudySettings {
  /** Scenes of a batch. */
  batchSize: number;
  testScenes: number;
  measureEvery: number;
}

const PROTOCOL = {batchSize: 2, learningRate: 0.012, warmupSteps: 300, testScenes: 100, measureEvery: 200} as const;

const rateOf = anytimeRate({from: PROTOCOL.learningRate, warmupSteps: PROTOCOL.warmupSteps});

/** A small U-Net on scenes of digits, by the rules for their many pixels of background. */
export const segmentation: Study<SegmentationRecord> = {
  name: 'segmentation',
  about: 'a U-Net that tells digits from fragments in cluttered scenes, by the rules for pixels',
  seeds: 3,
  steps: 1200,
  settings: (steps): SegmentationSettings => ({
    ...{steps, ...PROTOCOL, rules: rulesFor(1).map(({name}) => name)},
    ...{digitWeight: DIGIT_WEIGHT, tolerance: TOLERANCE, scenes: SCENE_PROTOCOL},
  }),
  async *train(seed, digits, settings) {
    const {steps, batchSize, testScenes, measureEvery} = settings as SegmentationSettings;
    const test = scenesOf(digits.test, TEST_SEED, 0, testScenes);
    const learners: SegmentationLearner[] = [];
    const build = rulesFor(seed).map((rule) => () => {
      const learner = segmentationLearner(rule, {seed, test});
      learners.push(learner);
      return learner;
    });
    const rules = yield* trainInTurn<PixelBatch, SegmentationQuality>(build, {
      ...{steps, measureEvery, rateOf, disposeBatch},
      batchOf: (step) => batchOf(scenesOf(digits.train, seed, step * batchSize, batchSize)),
    });
    return {rules, ...(seed === 1 && {sheet: sheetOf(test, learners)})};
  },
  report: segmentationReport,
};

function sheetOf(scenes: readonly Scene[], learners: readonly SegmentationLearner[]): SheetScene[] {
  const shown = SHOWN.map((name) => learners.find((learner) => learner.name === name) as SegmentationLearner);
  return scenes.slice(0, SHEET).map(({pixels, labels}, scene) => ({
    picture: scenePicture(pixels),
    truth: kindsPicture(pixelKinds(labels)),
    found: shown.map((learner) => kindsPicture(learner.latest()[scene] as Uint8Array)),
  }));
}
