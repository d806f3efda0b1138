import {io, nextFrame} from '@tensorflow/tfjs-core';
import {fitOhem, resumeTraining, saveTraining, type TrainingState} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {firstState} from '../../../src/trainers/checkpoint/trainingState';
import {describeOnBackends} from '../../support/backends';
import {RESUMABLE, resumableData, resumableModel} from '../../support/resumable';
import {shelf} from '../../support/shelf';
import {weightValues} from '../../support/tinyModel';

const STATE = firstState(0, 1, undefined);
const SAVED = {modelArtifactsInfo: {dateSaved: new Date(), modelTopologyType: 'JSON'}} as const;
type Metadata = {training: {state: TrainingState}};
const stepOf = ({userDefinedMetadata}: io.ModelArtifacts) => (userDefinedMetadata as Metadata).training.state.step;

/** A handler that takes its time, the less the later it is called, and fails at step 2. */
function slowHandler() {
  const [events, saved]: [string[], io.ModelArtifacts[]] = [[], []];
  const save = async (artifacts: io.ModelArtifacts) => {
    const step = stepOf(artifacts);
    events.push(`begins ${step}`);
    for (let frame = step; frame < 4; frame++) await nextFrame();
    events.push(`ends ${step}`);
    if (step === 2) throw new Error('no space');
    saved.push(artifacts);
    return SAVED;
  };
  return {events, saved, handler: {save, load: async () => saved.at(-1) as io.ModelArtifacts}};
}

describeOnBackends('Saves to one target that overlap', (backend) => {
  const inOrder = [0, 1, 2, 3].flatMap((step) => [`begins ${step}`, `ends ${step}`]);
  const saveFour = (target: io.IOHandler | string) =>
    Promise.allSettled([0, 1, 2, 3].map((step) => saveTraining(target, resumableModel(), {...STATE, step})));

  it('are written one after the other, also after one that failed', async () => {
    const {events, handler} = slowHandler();
    const saves = await saveFour(handler);
    expect(events).toEqual(inOrder);
    expect(saves.map(({status}) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('are so by a URL too, for which tfjs makes a handler each time', async () => {
    const {events, saved, handler} = slowHandler();
    // A router stays registered for good.
    const target = `slow://${backend}`;
    const isOurs = (url: string | string[]) => url === target;
    io.registerSaveRouter((url) => (isOurs(url) ? {save: handler.save} : (null as never)));
    io.registerLoadRouter((url) => (isOurs(url) ? {load: handler.load} : (null as never)));
    const saves = saveFour(target);
    // Whoever resumes waits for them.
    expect((await resumeTraining(target, resumableModel()))?.step).toBe(3);
    await saves;
    expect(events).toEqual(inOrder);
    expect(saved.map(stepOf)).toEqual([0, 1, 3]);
  });

  it('to several targets do not wait for one another', async () => {
    const [first, second] = [slowHandler(), slowHandler()];
    const saves = [first, second].map(({handler}) => saveTraining(handler, resumableModel(), STATE));
    await nextFrame();
    expect([first.events, second.events]).toEqual([['begins 0'], ['begins 0']]);
    await Promise.all(saves);
  });

  it('of a run that does not wait are of the moment of the call', async () => {
    const {xs, ys} = resumableData();
    const {save, at, saved} = shelf();
    const slowly: io.SaveHandler = async (artifacts) => {
      await nextFrame();
      return save(artifacts);
    };
    const whole = resumableModel();
    const saves: Promise<void>[] = [];
    const checkpoint = (state: TrainingState) => {
      saves.push(saveTraining({save: slowly}, whole, state));
    };
    await fitOhem(whole, xs, ys, {...RESUMABLE(), epochs: 3, checkpoint, checkpointEvery: 1});
    await Promise.all(saves);
    expect(saved).toHaveLength(12);
    for (const i of [0, 5, 10]) {
      const model = resumableModel();
      const initialState = await resumeTraining(at(i), model);
      expect(initialState?.step).toBeGreaterThan(0);
      await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 3, initialState});
      expect(weightValues(model)).toEqual(weightValues(whole));
    }
  });
});
