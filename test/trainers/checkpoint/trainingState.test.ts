import {
  add,
  fill,
  type io,
  matMul,
  mul,
  type Tensor,
  tidy,
  train,
  type Variable,
  variable,
  zeros,
} from '@tensorflow/tfjs-core';
import {LayersModel, layers, loadLayersModel, sequential} from '@tensorflow/tfjs-layers';
import {
  type FunctionModel,
  fitOhem,
  type KeepSchedule,
  resumeTraining,
  type Selector,
  saveTraining,
  type TrainingState,
  topK,
} from 'ohem-tfjs';
import {describe, expect, it} from 'vitest';
import {firstState} from '../../../src/trainers/checkpoint/trainingState';
import {describeOnBackends} from '../../support/backends';
import {RESUMABLE, resumableData, resumableModel, resumedInTheMiddle} from '../../support/resumable';
import {shelf} from '../../support/shelf';
import {weightValues} from '../../support/tinyModel';

const STATE = firstState(0, 1, undefined);
const roundTrip = async (state: TrainingState) => {
  const {save, at} = shelf();
  await saveTraining({save}, resumableModel(), state);
  return resumeTraining(at(0), resumableModel());
};

/** Keeps all rows but in every third step; its state is full of what JSON has no form for. */
const odd: KeepSchedule = {
  init: () => ({last: Number.NEGATIVE_INFINITY, zero: -0, none: undefined, mean: Number.NaN, steps: [0]}),
  ratio: (state) => {
    const {last, zero, mean, steps} = state as {last: number; zero: number; mean: number; steps: number[]};
    const isWhole = Object.is(zero, -0) && Number.isNaN(mean) && 'none' in (state as object) && last < 0;
    if (!isWhole) throw new Error(`another state: ${JSON.stringify(state)}`);
    return (steps[0] as number) % 3 === 2 ? 0.25 : 1;
  },
  next: (state) => ({...(state as object), steps: [((state as {steps: number[]}).steps[0] as number) + 1]}),
};
const withOdd: Selector = Object.assign(
  ((losses, context) =>
    topK({ratio: odd.ratio(context?.schedule ?? odd.init(), {step: context?.step ?? 0})})(losses, context)) as Selector,
  {schedule: odd},
);

describeOnBackends('The state of a checkpoint', () => {
  it('comes back as it was, also with what JSON has no form for, and with further fields', async () => {
    const state = {
      ...STATE,
      totals: {...STATE.totals, rows: 3, sums: {acc: Number.NaN, loss: Number.POSITIVE_INFINITY, kept: -0}},
      best: {
        epoch: 0,
        value: Number.NEGATIVE_INFINITY,
        weights: resumableModel().layers.flatMap(({weights}) =>
          [...weights]
            .sort((a, b) => a.id - b.id)
            .map((weight) => Array.from({length: weight.read().size}, (_, i) => (i ? -0 : 1 / 3))),
        ),
      },
      schedule: {values: [1, Number.NaN], none: undefined},
      sampler: {epoch: 2, kept: [1, 2], share: Number.NaN},
    };
    expect(await roundTrip(state)).toStrictEqual(state);
  });

  it('lets a schedule of any numbers end where it would have ended', async () => {
    const {xs, ys} = resumableData();
    const {save, at} = shelf();
    const options = {...RESUMABLE(), epochs: 2, select: withOdd};
    const [whole, resumed] = [resumableModel(), resumableModel()];
    const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
    const {state} = await fitOhem(whole, xs, ys, {...options, checkpoint, checkpointEvery: 5});
    const initialState = await resumeTraining(at(0), resumed);
    expect((await fitOhem(resumed, xs, ys, {...options, initialState})).state).toStrictEqual(state);
    expect(weightValues(resumed)).toEqual(weightValues(whole));
  });

  describe('is refused when it is saved', () => {
    const refusal = async (state: object) => {
      const save = async () => expect.unreachable();
      return saveTraining({save}, resumableModel(), state as TrainingState).then(
        String,
        (error: Error) => error.message,
      );
    };
    it.each([Number.NaN, Number.POSITIVE_INFINITY])('with the seed %s', async (seed) => {
      expect(await refusal({...STATE, seed})).toBe(
        `saveTraining: seed of state must be a finite number or a text, got ${seed}.`,
      );
    });

    it.each([true, {}, 1n, null, undefined])('with a seed that is none', async (seed) => {
      expect(await refusal({...STATE, seed})).toContain('saveTraining: state must be the state of a training run, got');
    });

    it('with a schedule whose state JSON cannot carry', async () => {
      expect(await refusal({...STATE, schedule: {seen: new Set([1])}})).toBe(
        'saveTraining: state.schedule.seen must be plain data: numbers, texts, booleans, null, lists, typed arrays and records, got a Set. Other values could not be restored.',
      );
    });

    it.each([
      ['totals.sums', {totals: {rows: 1, sums: {loss: null}}}],
      ['counts', {updates: null}],
      ['spent', {spent: {rows: null}}],
      ['best.value', {best: {epoch: 0, value: null, weights: []}}],
      ['best.weights', {best: {epoch: 0, value: 1, weights: [[1, null]]}}],
    ])('with %s that went through JSON, as initialState is', async (name, part) => {
      const message = 'must hold numbers, got null. JSON has no NaN and no infinity: save the state by saveTraining.';
      expect(await refusal({...STATE, ...part})).toBe(`saveTraining: ${name} of state ${message}`);
      const {xs, ys} = resumableData();
      const initialState = {...STATE, ...part} as unknown as TrainingState;
      await expect(fitOhem(resumableModel(), xs, ys, {verbose: 0, initialState})).rejects.toThrow(
        `fitOhem: ${name} of initialState ${message}`,
      );
    });

    it.each([{totals: {rows: 1, sums: null}}, {best: {}}, {best: {weights: [1]}}, {memory: {}}])(
      'with parts of another shape: %j',
      async (part) => {
        expect(await refusal({...STATE, ...part})).toContain('saveTraining: state must be the state of a training run');
      },
    );
  });

  it('is not resumed with best weights of another model', async () => {
    const best = {epoch: 0, value: 1, weights: [[1, 2]]};
    await expect(roundTrip({...STATE, best})).rejects.toThrow(
      'resumeTraining: best weights in target must be those of the model, got 1 of other sizes.',
    );
  });

  it('of version 1 is taken as JSON made it', async () => {
    const {save, at} = shelf();
    const state = {...STATE, schedule: {$ohem: 'NaN'}};
    await saveTraining({save}, resumableModel(), STATE);
    const artifacts = await at(0).load();
    const {training} = artifacts.userDefinedMetadata as {training: {version: number; state: object}};
    Object.assign(training, {version: 1, state});
    expect(await resumeTraining({load: async () => artifacts}, resumableModel())).toEqual(state);
  });
});

/** A layer whose configuration has no form in JSON. */
class Doubling extends layers.Layer {
  static className = 'Doubling';
  constructor(readonly config: () => object) {
    super({});
  }
  override call(inputs: Tensor | Tensor[]): Tensor {
    return tidy(() => mul([inputs].flat()[0] as Tensor, 2));
  }
  override getConfig() {
    return this.config() as ReturnType<layers.Layer['getConfig']>;
  }
}

describeOnBackends('A checkpoint of a model', () => {
  const itself: Record<string, unknown> = {};
  itself.itself = itself;
  it.each<[string, () => object]>([
    ['throws when its configuration is read', () => expect.unreachable('no configuration')],
    ['has a cycle in its configuration', () => ({itself})],
    ['has a function in its configuration', () => ({f: () => 1})],
    ['has a bigint in its configuration', () => ({large: 1n})],
  ])('is resumed with a layer that %s', async (_, config) => {
    const make = () => {
      const model = sequential({layers: [layers.dense({units: 3, inputShape: [4]}), new Doubling(config)]});
      model.compile({optimizer: train.adam(0.05), loss: 'meanSquaredError'});
      return model;
    };
    const {whole, resumed} = await resumedInTheMiddle(make);
    expect(weightValues(resumed)).toEqual(weightValues(whole));
  });

  it('that is a function of variables is resumed bit for bit', async () => {
    const make = (): FunctionModel => {
      const [kernel, bias] = [variable(fill([4, 3], 0.1)), variable(zeros([3]))];
      return {predict: (xs) => add(matMul(xs, kernel), bias), variables: [kernel, bias]};
    };
    const values = ({variables}: FunctionModel) => variables.map((weight: Variable) => Array.from(weight.dataSync()));
    const {xs, ys} = resumableData();
    const {save, at} = shelf();
    const options = {...RESUMABLE(), epochs: 3, loss: 'meanSquaredError', optimizer: 'adam'} as const;
    const [whole, resumed] = [make(), make()];
    const checkpoint = (state: TrainingState) => saveTraining({save}, whole, state);
    await fitOhem(whole, xs, ys, {...options, checkpoint, checkpointEvery: 5});
    const optimizer = train.adam(0.001);
    const initialState = await resumeTraining(at(0), resumed, {optimizer});
    await fitOhem(resumed, xs, ys, {...options, optimizer, initialState});
    expect(values(resumed)).toEqual(values(whole));
  });

  it('takes null for options that are not given', async () => {
    const {save, at} = shelf();
    await saveTraining({save}, resumableModel(), STATE, null);
    expect(await resumeTraining(at(0), resumableModel(), {optimizer: null})).toEqual(STATE);
    expect(await loadLayersModel(at(0) as io.IOHandler)).toBeInstanceOf(LayersModel);
  });
});
