import type {TrainAndTest} from '../../examples/mnist/experiment/trainRun';
import type {Study, StudySettings} from '../../studies/kit/study';

/** Trains a seed of a study to its end, with settings that may be smaller than its own. */
export async function seedOf<Seed>(
  study: Study<Seed>,
  digits: TrainAndTest,
  {seed = 1, ...settings}: Partial<StudySettings> & {seed?: number} = {},
): Promise<Seed> {
  const training = study.train(seed, digits, {...study.settings(settings.steps ?? 1), ...settings});
  for (;;) {
    const {done, value} = await training.next();
    if (done) return value;
  }
}
