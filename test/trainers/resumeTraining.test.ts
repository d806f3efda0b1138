import {io, memory, slice, train} from '@tensorflow/tfjs-core';
import {layers, loadLayersModel, sequential} from '@tensorflow/tfjs-layers';
import {fitOhem, resumeTraining, saveTraining, type TrainingState} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {OPTIMIZERS, RESUMABLE, resumableData, resumableModel, resumedInTheMiddle} from '../support/resumable';
import {shelf} from '../support/shelf';
import {weightValues} from '../support/tinyModel';

describeOnBackends('A resumed training', (backend) => {
  it.each(Object.keys(OPTIMIZERS))('ends bit for bit where it would have ended, by %s', async (name) => {
    const makeOptimizer = OPTIMIZERS[name] as (typeof OPTIMIZERS)[string];
    const {xs, ys} = resumableData();
    const {saved, save, at} = shelf();
    const whole = resumableModel(makeOptimizer());
    const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
    const undisturbed = await fitOhem(whole, xs, ys, {...RESUMABLE(), checkpoint, checkpointEvery: 3});
    expect(saved).toHaveLength(6);
    for (const i of [0, 3, 5]) {
      const model = resumableModel(makeOptimizer());
      const initialState = await resumeTraining(at(i), model);
      const resumed = await fitOhem(model, xs, ys, {...RESUMABLE(), initialState});
      expect(weightValues(model)).toEqual(weightValues(whole));
      expect(resumed.state).toEqual(undisturbed.state);
      const last = (history: typeof resumed) => Object.values(history.history).map((values) => values.at(-1));
      expect(last(resumed)).toEqual(last(undisturbed));
    }
  });

  it('continues after an abort with the model and the state that are there', async () => {
    const {xs, ys} = resumableData();
    const [whole, model] = [resumableModel(), resumableModel()];
    await fitOhem(whole, xs, ys, RESUMABLE());
    const abort = new AbortController();
    let steps = 0;
    const onBatchEnd = () => {
      if (++steps === 6) abort.abort();
    };
    const {state, epoch} = await fitOhem(model, xs, ys, {
      ...RESUMABLE(),
      signal: abort.signal,
      callbacks: {onBatchEnd},
    });
    expect([epoch, state.epoch, state.batch, state.step]).toEqual([[0], 1, 2, 6]);
    await fitOhem(model, xs, ys, {...RESUMABLE(), initialState: JSON.parse(JSON.stringify(state))});
    expect(weightValues(model)).toEqual(weightValues(whole));
  });

  it('refuses to continue in the middle of an epoch with other batches, but does between epochs', async () => {
    const {xs, ys} = resumableData();
    const states: TrainingState[] = [];
    const checkpoint = (state: TrainingState) => void states.push(JSON.parse(JSON.stringify(state)));
    await fitOhem(resumableModel(), xs, ys, {...RESUMABLE(), checkpoint, checkpointEvery: 3});
    const [inEpoch, atEnd] = [states.find(({batch}) => batch > 0), states.find(({batch}) => batch === 0)];
    const {batchSize = 0} = RESUMABLE();
    const model = resumableModel();
    const before = weightValues(model);
    const other = {...RESUMABLE(), batchSize: 2 * batchSize};
    await expect(fitOhem(model, xs, ys, {...other, initialState: inEpoch ?? null})).rejects.toThrow(
      `fitOhem: batchSize must be ${batchSize}, as in initialState, got ${2 * batchSize}. ` +
        'An epoch that has begun must end on the same batches.',
    );
    const [fewerX, fewerY] = [slice(xs, [0, 0], [batchSize, -1]), slice(ys, [0, 0], [batchSize, -1])];
    await expect(fitOhem(model, fewerX, fewerY, {...RESUMABLE(), initialState: inEpoch ?? null})).rejects.toThrow(
      `fitOhem: rows must be as many as in initialState, ${xs.shape[0]}, got ${batchSize}.`,
    );
    expect(weightValues(model)).toEqual(before);
    await fitOhem(model, fewerX, fewerY, {...other, initialState: atEnd ?? null});
    expect(weightValues(model)).not.toEqual(before);
  });

  it('finds the slot of each weight again when a layer was frozen on the way', async () => {
    const {xs, ys} = resumableData();
    const {save, at, saved} = shelf();
    const freezing = (model: ReturnType<typeof resumableModel>) => ({
      onEpochBegin: (epoch: number) => {
        if (epoch >= 2) (model.layers[0] as (typeof model.layers)[number]).trainable = false;
      },
    });
    const whole = resumableModel();
    const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
    await fitOhem(whole, xs, ys, {...RESUMABLE(), callbacks: freezing(whole), checkpoint});
    expect(saved).toHaveLength(5);
    const model = resumableModel();
    const initialState = await resumeTraining(at(3), model);
    await fitOhem(model, xs, ys, {...RESUMABLE(), callbacks: freezing(model), initialState});
    expect(weightValues(model)).toEqual(weightValues(whole));
  });

  it('remembers the best weights', async () => {
    const {xs, ys} = resumableData();
    const {save, at} = shelf();
    const options = {...RESUMABLE(), restoreBestWeights: 'kept', epochs: 3};
    const whole = resumableModel();
    const after: number[][][] = [];
    const onEpochEnd = () => void after.push(weightValues(whole));
    const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
    await fitOhem(whole, xs, ys, {...options, callbacks: {onEpochEnd}, checkpoint});
    // Fewest rows are kept in the last epoch.
    expect(weightValues(whole)).toEqual(after[2]);
    const model = resumableModel();
    const initialState = await resumeTraining(at(1), model);
    expect(initialState?.best?.epoch).toBe(1);
    await fitOhem(model, xs, ys, {...options, epochs: 2, initialState});
    expect(weightValues(model)).toEqual(after[1]);
  });

  describe('of a stateful recurrent network', () => {
    const make = (units = 2) => {
      const model = sequential({
        layers: [
          layers.reshape({batchInputShape: [10, 4], targetShape: [2, 2]}),
          layers.lstm({units, stateful: true, kernelInitializer: 'ones', recurrentInitializer: 'ones'}),
          layers.dense({units: 3, kernelInitializer: 'ones'}),
        ],
      });
      model.compile({optimizer: train.adam(0.05), loss: 'meanSquaredError'});
      return model;
    };
    const OPTIONS = {...RESUMABLE(), batchSize: 10, epochs: 2};

    it('has the states of its layers', async () => {
      const {xs, ys} = resumableData();
      const {save, at} = shelf();
      const [whole, resumed] = [make(), make()];
      const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
      await fitOhem(whole, xs, ys, {...OPTIONS, checkpoint, checkpointEvery: 3});
      const before = memory().numTensors;
      const initialState = await resumeTraining(at(0), resumed);
      // Two slots for each of five weights.
      expect(memory().numTensors).toBe(before + 10);
      await fitOhem(resumed, xs, ys, {...OPTIONS, initialState});
      expect(weightValues(resumed)).toEqual(weightValues(whole));
    });

    it('keeps those that it has if none were saved, and refuses those of others', async () => {
      const {save, at} = shelf();
      const [model, other] = [make(), make()];
      const {xs, ys} = resumableData();
      const {state} = await fitOhem(model, xs, ys, OPTIONS);
      await saveTraining({save}, model, state);
      const artifacts = await at(0).load();
      const specs = artifacts.weightSpecs as io.WeightsManifestEntry[];
      const bytes = 2 * 10 * 2 * 4;
      const without = {
        ...artifacts,
        weightSpecs: specs.slice(0, -2),
        weightData: (artifacts.weightData as ArrayBuffer).slice(0, -bytes),
      };
      expect(await resumeTraining({load: async () => without}, other)).toEqual(state);
      const oneOnly = {
        ...artifacts,
        weightSpecs: specs.slice(0, -1),
        weightData: (artifacts.weightData as ArrayBuffer).slice(0, -bytes / 2),
      };
      await expect(resumeTraining({load: async () => oneOnly}, other)).rejects.toThrow(
        'resumeTraining: target must hold states of the shapes of the stateful layers, [10, 2] [10, 2], got [10, 2].',
      );
    });
  });

  it('has the weights of layers of equal names, in models inside the model', async () => {
    const inner = (name: string) =>
      sequential({
        name,
        layers: [layers.dense({name: 'a', units: 4, inputShape: [4]}), layers.dense({name: 'b', units: 4})],
      });
    const make = () => {
      const model = sequential({layers: [inner('encoder'), inner('decoder'), layers.dense({units: 3})]});
      model.compile({optimizer: train.adam(0.05), loss: 'meanSquaredError'});
      return model;
    };
    const {whole, resumed} = await resumedInTheMiddle(make);
    expect(weightValues(resumed)).toEqual(weightValues(whole));
  });

  it('leaves no tensor behind', async () => {
    const {xs, ys} = resumableData();
    const {save, at} = shelf();
    const model = resumableModel();
    const checkpoint = (state: TrainingState) => saveTraining({save}, model, state);
    await fitOhem(model, xs, ys, {...RESUMABLE(), checkpoint});
    const before = memory();
    const initialState = await resumeTraining(at(2), model);
    await fitOhem(model, xs, ys, {...RESUMABLE(), checkpoint, initialState});
    expect([memory().numTensors, memory().numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  });

  it('is also saved as a model', async () => {
    const {xs, ys} = resumableData();
    const {save, at} = shelf();
    const model = resumableModel();
    const {state} = await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 1});
    await saveTraining({save}, model, state);
    expect(weightValues(await loadLayersModel(at(0) as io.IOHandler))).toEqual(weightValues(model));
  });

  it('takes the URLs for which tfjs has a handler', async () => {
    const {save, at} = shelf();
    // A router stays registered for good.
    const target = `shelf://${backend}`;
    const here = (kind: 'save' | 'load') => (url: string | string[]) =>
      url === target ? (kind === 'save' ? {save} : at(0)) : (null as never);
    io.registerSaveRouter(here('save'));
    io.registerLoadRouter(here('load'));
    const model = resumableModel();
    const {xs, ys} = resumableData();
    const {state} = await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 1});
    // What the handler throws is not hidden: a run that begins anew would overwrite what is there.
    await expect(resumeTraining(target, model)).rejects.toThrow();
    await saveTraining(target, model, state);
    expect(await resumeTraining(target, model)).toEqual(state);
  });

  describe('refuses, and changes nothing,', () => {
    const attempt = async (change: (artifacts: io.ModelArtifacts) => unknown, resume = resumableModel()) => {
      const {xs, ys} = resumableData();
      const {save, at} = shelf();
      const model = resumableModel();
      const {state} = await fitOhem(model, xs, ys, {...RESUMABLE(), epochs: 1});
      await saveTraining({save}, model, state);
      const artifacts = await at(0).load();
      const load = async () => (change(artifacts) ?? artifacts) as io.ModelArtifacts;
      const before = [weightValues(resume), memory().numTensors] as const;
      const message = await resumeTraining({load}, resume).then(String, (error: Error) => error.message);
      expect([weightValues(resume), memory().numTensors]).toEqual(before);
      return message;
    };
    type Metadata = {training: {version: number; state: TrainingState; optimizer: {slots: unknown[]}}};
    const metadata = (artifacts: io.ModelArtifacts) => artifacts.userDefinedMetadata as Metadata;

    it('a model that is no training', async () => {
      expect(await attempt(({userDefinedMetadata: _, ...model}) => model)).toBe(
        'resumeTraining: target must hold a checkpoint that saveTraining has saved, got something else.',
      );
    });

    it('a handler that holds nothing', async () => {
      const model = resumableModel();
      await expect(resumeTraining({load: async () => undefined as never}, model)).rejects.toThrow(
        'resumeTraining: target must hold a checkpoint that saveTraining has saved, got something else.',
      );
    });

    it('a state that is none', async () => {
      const message = await attempt((artifacts) => {
        metadata(artifacts).training.state = {epoch: -1} as TrainingState;
      });
      expect(message).toBe(
        'resumeTraining: state in target must be the state of a training run, got {epoch}. Pass what resumeTraining returns.',
      );
    });

    it('weights that are cut off', async () => {
      const message = await attempt((artifacts) => {
        artifacts.weightData = (artifacts.weightData as ArrayBuffer).slice(0, 100);
      });
      expect(message).toMatch(/^resumeTraining: target must hold all \d+ bytes of the weights, got 100\.$/);
    });

    it('the weights of another model', async () => {
      const other = sequential({layers: [layers.dense({units: 3, inputShape: [4]})]});
      other.compile({optimizer: train.adam(0.1), loss: 'meanSquaredError'});
      const message = await attempt(() => undefined, other);
      expect(message).toContain(
        'resumeTraining: target must hold weights of the shapes of the model, [4, 3] [3], got [4, 6]',
      );
    });

    it('another optimizer', async () => {
      const message = await attempt(() => undefined, resumableModel(train.sgd(0.1)));
      expect(message).toBe('resumeTraining: optimizer must be the Adam that was saved, got SGD.');
    });

    it('slots that do not fit', async () => {
      const message = await attempt((artifacts) => {
        metadata(artifacts).training.optimizer.slots.reverse();
      });
      expect(message).toMatch(
        /^resumeTraining: target must hold slots for the weights of the model, got others in \w+\.$/,
      );
    });

    it('what is no target, and no optimizer', async () => {
      const model = resumableModel();
      await expect(resumeTraining('nowhere://run', model)).rejects.toThrow(
        "resumeTraining: target must be an io handler of tfjs or the URL of one ('indexeddb://my-training'), got nowhere://run. For a folder, import this function from 'ohem-tfjs/node'.",
      );
      await expect(saveTraining({load: async () => ({})}, model, {} as never)).rejects.toThrow(
        'saveTraining: target must',
      );
      const plain = sequential({layers: [layers.dense({units: 3, inputShape: [4]})]});
      await expect(saveTraining({save: async () => ({}) as never}, plain, {} as never)).rejects.toThrow(
        'saveTraining: optimizer must be given, or the model be compiled with one, got undefined. Pass the optimizer of fitOhem.',
      );
    });
  });
});
