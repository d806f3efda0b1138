import {anytimeRate} from '../kit/anytimeRate';
import {SCENE_PROTOCOL, type Scene} from '../kit/scenes/scene';
import {scenePicture} from '../kit/scenes/scenePicture';
import {type SceneSettings, trainOnScenes} from '../kit/scenes/trainOnScenes';
import type {Study} from '../kit/study';
import {GRIDS, MATCHED, SHAPES} from './anchors';
import {COUNTED_SCORE, type DetectionQuality, HALF, verdictsOf} from './averagePrecision';
import {DETECTION_PROTOCOL, type Detection} from './detections';
import {type DetectionLearner, detectionLearner} from './learner';
import {type DetectionRecord, SHEET, SHOWN, type SheetScene} from './record';
import {detectionReport} from './report';
import {PER_SCENE, rulesFor, SUPPRESSION} from './rules';
import {batchOf, disposeBatch, type SceneBatch} from './sceneBatch';

const PROTOCOL = {batchSize: 4, learningRate: 0.008, warmupSteps: 300, testScenes: 200, measureEvery: 500} as const;

const rateOf = anytimeRate({from: PROTOCOL.learningRate, warmupSteps: PROTOCOL.warmupSteps});

/** A small single-shot detector of digits, by the rules for its many anchors of background. */
export const detection: Study<DetectionRecord> = {
  name: 'detection',
  about: 'a single-shot detector of digits in cluttered scenes, by the rules for negatives',
  seeds: 3,
  steps: 2000,
  settings: (steps): SceneSettings => ({
    ...{steps, ...PROTOCOL, perScene: PER_SCENE, suppression: SUPPRESSION, rules: rulesFor(1, 1).map(({name}) => name)},
    ...{scenes: SCENE_PROTOCOL, grids: GRIDS, shapes: SHAPES, matched: MATCHED, detections: DETECTION_PROTOCOL},
  }),
  async *train(seed, digits, settings) {
    const {batchSize, rules: names} = settings as SceneSettings;
    const {rules, test, learners} = yield* trainOnScenes<SceneBatch, DetectionQuality, DetectionLearner>(
      seed,
      digits,
      settings as SceneSettings,
      {
        ...{batchOf, disposeBatch, rateOf},
        build: rulesFor(seed, batchSize)
          .filter(({name}) => names.includes(name))
          .map((rule) => (test) => detectionLearner(rule, {seed, test})),
      },
    );
    const shown = learners.find(({name}) => name === SHOWN) as DetectionLearner;
    return {rules, ...(seed === 1 && {sheet: sheetOf(test, shown.latest())})};
  },
  report: detectionReport,
};

/** The first test scenes, with the detections that count. */
function sheetOf(scenes: readonly Scene[], found: readonly Detection[][]): SheetScene[] {
  return scenes.slice(0, SHEET).map(({pixels, objects}, scene) => {
    const detections = (found[scene] as Detection[]).filter(({score}) => score >= COUNTED_SCORE);
    const verdicts = verdictsOf({objects, detections}, HALF);
    return {
      picture: scenePicture(pixels),
      objects: objects.map(({label, box}) => ({label, box})),
      detections: detections.map(({label, score, box}, place) => ({
        ...{label, score: rounded(score, 3), isRight: verdicts[place]?.isRight === true},
        box: box.map((edge) => rounded(edge, 1)) as unknown as Detection['box'],
      })),
    };
  });
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));
