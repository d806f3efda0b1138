import type {TrainAndTest} from '../../../examples/mnist/experiment/trainRun';
import type {StudySettings} from '../study';
import {type Learner, type TurnOptions, type TurnRecord, trainInTurn} from '../trainInTurn';
import type {Scene} from './scene';
import {scenesOf, TEST_SEED} from './sceneSets';

/** Settings of a study of scenes. */
export interface SceneSettings extends StudySettings {
  /** Scenes of a batch. */
  batchSize: number;
  testScenes: number;
  measureEvery: number;
  /** Names of the rules that are compared. */
  rules: string[];
}

/** What is trained on scenes, and how. */
interface SceneTraining<Batch, L> extends Pick<TurnOptions<Batch>, 'disposeBatch' | 'rateOf'> {
  /** Build the learners, which are measured on the test scenes. */
  build: readonly ((test: Scene[]) => L)[];
  batchOf(scenes: Scene[]): Batch;
}

/** Trains learners in turn on the scenes of a seed; returns records, test scenes and learners. */
export async function* trainOnScenes<Batch, Quality, L extends Learner<Batch, Quality>>(
  seed: number,
  digits: TrainAndTest,
  {steps, batchSize, testScenes, measureEvery}: SceneSettings,
  {build, batchOf, disposeBatch, rateOf}: SceneTraining<Batch, L>,
): AsyncGenerator<number, {rules: TurnRecord<Quality>[]; test: Scene[]; learners: L[]}, undefined> {
  const test = scenesOf(digits.test, TEST_SEED, 0, testScenes);
  const learners: L[] = [];
  const noting = build.map((make) => () => {
    const learner = make(test);
    learners.push(learner);
    return learner;
  });
  const rules = yield* trainInTurn<Batch, Quality>(noting, {
    ...{steps, measureEvery, rateOf, disposeBatch},
    batchOf: (step) => batchOf(scenesOf(digits.train, seed, step * batchSize, batchSize)),
  });
  return {rules, test, learners};
}
