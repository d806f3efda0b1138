import {anytimeRate} from '../kit/anytimeRate';
import {SCENE_PROTOCOL, type Scene} from '../kit/scenes/scene';
import {kindsPicture, scenePicture} from '../kit/scenes/scenePicture';
import {type SceneSettings, trainOnScenes} from '../kit/scenes/trainOnScenes';
import type {Study} from '../kit/study';
import {type SegmentationLearner, segmentationLearner} from './learner';
import {batchOf, disposeBatch, type PixelBatch} from './pixelBatch';
import {pixelKinds} from './pixelKinds';
import {type SegmentationQuality, TOLERANCE} from './pixelScores';
import {type SegmentationRecord, SHEET, SHOWN, type SheetScene} from './record';
import {segmentationReport} from './report';
import {DIGIT_WEIGHT, rulesFor} from './rules';

const PROTOCOL = {batchSize: 2, learningRate: 0.012, warmupSteps: 300, testScenes: 100, measureEvery: 200} as const;

const rateOf = anytimeRate({from: PROTOCOL.learningRate, warmupSteps: PROTOCOL.warmupSteps});

/** A small U-Net on scenes of digits, by the rules for their many pixels of background. */
export const segmentation: Study<SegmentationRecord> = {
  name: 'segmentation',
  about: 'a U-Net that tells digits from fragments in cluttered scenes, by the rules for pixels',
  seeds: 3,
  steps: 1200,
  settings: (steps): SceneSettings => ({
    ...{steps, ...PROTOCOL, rules: rulesFor(1).map(({name}) => name)},
    ...{digitWeight: DIGIT_WEIGHT, tolerance: TOLERANCE, scenes: SCENE_PROTOCOL},
  }),
  async *train(seed, digits, settings) {
    const {rules: names} = settings as SceneSettings;
    const {rules, test, learners} = yield* trainOnScenes<PixelBatch, SegmentationQuality, SegmentationLearner>(
      seed,
      digits,
      settings as SceneSettings,
      {
        ...{batchOf, disposeBatch, rateOf},
        build: rulesFor(seed)
          .filter(({name}) => names.includes(name))
          .map((rule) => (test) => segmentationLearner(rule, {seed, test})),
      },
    );
    return {rules, ...(seed === 1 && {sheet: sheetOf(test, learners)})};
  },
  report: segmentationReport,
};

function sheetOf(scenes: readonly Scene[], learners: readonly SegmentationLearner[]): SheetScene[] {
  const shown = learners.filter(({name}) => SHOWN.includes(name));
  return scenes.slice(0, SHEET).map(({pixels, labels}, scene) => ({
    picture: scenePicture(pixels),
    truth: kindsPicture(pixelKinds(labels)),
    found: shown.map((learner) => kindsPicture(learner.latest()[scene] as Uint8Array)),
  }));
}
