import {
  add,
  keep,
  memory,
  mul,
  type NamedTensorMap,
  Optimizer,
  type Scalar,
  scalar,
  tidy,
  train,
  type Variable,
  variable,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {type FitCallback, fitOhem, resumeTraining, saveTraining, type TrainingState} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {firstState} from '../../../src/trainers/checkpoint/trainingState';
import {describeOnBackends} from '../../support/backends';
import {OPTIMIZERS, RESUMABLE, resumableData, resumableModel} from '../../support/resumable';
import {shelf} from '../../support/shelf';
import {weightValues} from '../../support/tinyModel';

type WithRate = Optimizer & {learningRate: number; setLearningRate?(rate: number): void};
type Slot = {originalName: string; variable: Variable};
const STATE = firstState(0, 1, undefined);

/** Halves the rate of an optimizer after every epoch. */
const halving = (model: LayersModel): FitCallback[] => [
  {
    onEpochEnd: () => {
      const optimizer = model.optimizer as WithRate;
      const rate = optimizer.learningRate / 2;
      if (optimizer.setLearningRate) optimizer.setLearningRate(rate);
      else optimizer.learningRate = rate;
    },
  },
];

/** Expects that a run resumed after 5 of 12 steps ends where the whole one ends. */
async function expectResumable(makeOptimizer: () => Optimizer, callbacks = (_: LayersModel): FitCallback[] => []) {
  const {xs, ys} = resumableData();
  const {save, at} = shelf();
  const options = {...RESUMABLE(), epochs: 3};
  const [whole, resumed] = [resumableModel(makeOptimizer()), resumableModel(makeOptimizer())];
  const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
  await fitOhem(whole, xs, ys, {...options, callbacks: callbacks(whole), checkpoint, checkpointEvery: 5});
  const tensors = memory().numTensors;
  const initialState = await resumeTraining(at(0), resumed);
  expect(initialState?.step).toBe(5);
  await fitOhem(resumed, xs, ys, {...options, callbacks: callbacks(resumed), initialState});
  expect(weightValues(resumed)).toEqual(weightValues(whole));
  return {whole, resumed, tensors};
}

/** An optimizer of one's own, with momentum; the gradients count less from step to step. */
class Fading extends Optimizer {
  static className = 'Fading';
  learningRate = 0.1;
  fade = 0.97;
  taken = 0;
  count: Variable = variable(scalar(0), false);
  scale: Scalar = keep(scalar(1));
  momenta: Slot[] = [];

  applyGradients(gradients: NamedTensorMap): void {
    tidy(() => {
      for (const [i, [name, gradient]] of Object.entries(gradients).entries()) {
        const weight = weightOf(this, name);
        this.momenta[i] ??= {originalName: `${name}/momentum`, variable: variable(zerosLike(weight), false)};
        const slot = this.momenta[i] as Slot;
        slot.variable.assign(add(mul(slot.variable, 0.9), mul(gradient, this.scale)));
        const rate = this.learningRate / (1 + this.taken);
        weight.assign(add(weight, mul(slot.variable, -rate)));
      }
      this.count.assign(add(this.count, 1));
    });
    const before = this.scale;
    this.scale = keep(tidy(() => mul(before, this.fade)));
    before.dispose();
    this.taken++;
    this.incrementIterations();
  }

  getConfig() {
    return {learningRate: this.learningRate, fade: this.fade};
  }
}

/** The weights are found through the model; it is no slot. */
const models = new WeakMap<Optimizer, LayersModel>();
function weightOf(optimizer: Optimizer, name: string): Variable {
  const weights = models.get(optimizer)?.weights.map((weight) => weight.read() as Variable) ?? [];
  return weights.find((weight) => weight.name === name) as Variable;
}

/** An optimizer that learns nothing, with a field of some kind. */
class Holding extends Optimizer {
  static className = 'Holding';
  constructor(readonly held: unknown) {
    super();
  }
  applyGradients(): void {}
  getConfig() {
    return {};
  }
}

describeOnBackends('The optimizer of a checkpoint', () => {
  describe('has its learning rate', () => {
    it.each(Object.entries(OPTIMIZERS))('that a callback changes: %s', async (_, makeOptimizer) => {
      const {whole, resumed} = await expectResumable(makeOptimizer, halving);
      const rate = ({optimizer}: LayersModel) => (optimizer as WithRate).learningRate;
      expect(rate(resumed)).toBe(rate(whole));
    });

    it('whatever the new optimizer was made with', async () => {
      const {save, at} = shelf();
      await saveTraining({save}, resumableModel(train.sgd(0.25)), STATE);
      const model = resumableModel(train.sgd(0.5));
      await resumeTraining(at(0), model);
      expect((model.optimizer as WithRate).learningRate).toBe(0.25);
    });

    it('as it acts, also if the field of SGD says another one', async () => {
      const callbacks = (model: LayersModel): FitCallback[] => [
        {
          onEpochEnd: () => {
            (model.optimizer as WithRate).learningRate = 9;
          },
        },
      ];
      await expectResumable(OPTIMIZERS.momentum as () => Optimizer, callbacks);
    });

    it('but no other hyperparameter', async () => {
      const {save, at} = shelf();
      await saveTraining({save}, resumableModel(train.momentum(0.25, 0.9)), STATE);
      const model = resumableModel(train.momentum(0.5, 0.8));
      await resumeTraining(at(0), model);
      const {m, momentum} = model.optimizer as unknown as {m: Scalar; momentum: number};
      expect([m.dataSync()[0], momentum]).toEqual([Math.fround(0.8), 0.8]);
    });

    it('which one of version 1 has not', async () => {
      const {save, at} = shelf();
      await saveTraining({save}, resumableModel(train.adam(0.25)), STATE);
      const artifacts = await at(0).load();
      const {training} = artifacts.userDefinedMetadata as {training: {version: number; optimizer: {numbers?: object}}};
      training.version = 1;
      delete training.optimizer.numbers;
      const model = resumableModel(train.adam(0.5));
      expect(await resumeTraining({load: async () => artifacts}, model)).toEqual(STATE);
      expect((model.optimizer as WithRate).learningRate).toBe(0.5);
      training.version = 3;
      await expect(resumeTraining({load: async () => artifacts}, model)).rejects.toThrow(
        'resumeTraining: target must hold a checkpoint of this version of ohem-tfjs or an earlier one, got one of format 3. Install a newer version.',
      );
    });
  });

  describe('may be of a class of your own', () => {
    it('with slots, tensors and counters in its fields', async () => {
      const {whole, resumed, tensors} = await expectResumable(
        () => new Fading(),
        (model) => [{onTrainBegin: () => void models.set(model.optimizer, model)}],
      );
      const of = ({optimizer}: LayersModel) => optimizer as Fading;
      expect(of(resumed).taken).toBe(12);
      for (const field of ['count', 'scale'] as const) {
        expect(of(resumed)[field].dataSync()).toEqual(of(whole)[field].dataSync());
      }
      // Slots for four weights and two of the batch normalisation are made, and nothing else.
      expect(memory().numTensors - tensors).toBe(of(resumed).momenta.length);
    });

    it('and hold the model, its weights, and what is no tensor', async () => {
      const {save, at} = shelf();
      const model = resumableModel();
      const weights = model.trainableWeights.map((weight) => weight.read());
      const held: Record<string, unknown> = {model, weights, text: 'a', none: null, f: () => 1, set: new Set([1])};
      held.itself = held;
      const optimizer = new Holding(held);
      await saveTraining({save}, model, STATE, {optimizer});
      expect(await resumeTraining(at(0), model, {optimizer: new Holding(held)})).toEqual(STATE);
    });

    const one = () => variable(scalar(1), false);
    it.each<[string, () => unknown, string]>([
      ['a record', () => ({'dense/kernel': one()}), 'held.dense/kernel'],
      ['a map', () => new Map([['dense/kernel', one()]]), 'held.dense/kernel'],
      ['a set', () => new Set([one()]), 'held.0'],
      ['a list', () => [one()], 'held.0'],
      ['lists in a record', () => ({m: [{variable: one()}]}), 'held.m.0.variable'],
      ['another optimizer', () => train.adam(0.1), 'held.accBeta1'],
      ['tensors that are no variables', () => [scalar(1)], 'held.0'],
      ['slots of no weight', () => [{originalName: 'momentum/dense/kernel', variable: one()}], 'held[0]'],
    ])('but not keep its slots in %s', async (_, makeHeld, path) => {
      const save = async () => expect.unreachable();
      const optimizer = new Holding(makeHeld());
      await expect(saveTraining({save}, resumableModel(), STATE, {optimizer})).rejects.toThrow(
        `saveTraining: optimizer must keep its slots as tensors in its fields, or in lists of {originalName: 'weight/…', variable}, got another one in ${path}. Other slots could not be restored.`,
      );
    });
  });

  it('may train two models: each checkpoint has the slots of its own', async () => {
    const {xs, ys} = resumableData();
    const run = async (optimizer: Optimizer, resume: boolean, shelves = [shelf(), shelf()]) => {
      const twins = [resumableModel(optimizer), resumableModel(optimizer)];
      const epochs = resume ? 2 : 1;
      const states: (TrainingState | undefined)[] = [];
      for (const [i, model] of twins.entries())
        states[i] = resume ? await resumeTraining(at(shelves, i), model) : undefined;
      for (const [i, model] of twins.entries()) {
        const {state} = await fitOhem(model, xs, ys, {...RESUMABLE(), epochs, initialState: states[i]});
        if (!resume) await saveTraining({save: (shelves[i] as ReturnType<typeof shelf>).save}, model, state);
      }
      return {twins, shelves};
    };
    const at = (shelves: ReturnType<typeof shelf>[], i: number) => (shelves[i] as ReturnType<typeof shelf>).at(0);
    const makeOptimizer = () => train.momentum(0.1, 0.9);
    const shared = makeOptimizer();
    const {twins, shelves} = await run(shared, false);
    for (const [i, model] of twins.entries()) {
      const {userDefinedMetadata} = await at(shelves, i).load();
      const {slots} = (userDefinedMetadata as {training: {optimizer: {slots: {field: string}[]}}}).training.optimizer;
      expect(slots.filter(({field}) => field === 'accumulations')).toHaveLength(model.trainableWeights.length);
    }
    const resumed = makeOptimizer();
    await run(resumed, true, shelves);
    const momenta = (resumed as unknown as {accumulations: Slot[]}).accumulations;
    expect(momenta).toHaveLength(12);
    expect(new Set(momenta.map(({originalName}) => originalName)).size).toBe(12);
    // With momentum alone, one model's steps are those of an optimizer of its own.
    const single = resumableModel(makeOptimizer());
    await fitOhem(single, xs, ys, {...RESUMABLE(), epochs: 2});
    const [first] = (await run(makeOptimizer(), true, shelves)).twins;
    expect(weightValues(first as LayersModel)).toEqual(weightValues(single));
  });
});
