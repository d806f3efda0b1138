import {
  abs,
  add,
  cast,
  div,
  gatherND,
  greater,
  logicalAnd,
  max,
  maximum,
  mul,
  type NamedTensorMap,
  type Optimizer,
  reshape,
  type Scalar,
  serialization,
  sqrt,
  square,
  stack,
  sum,
  Tensor,
  Variable,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {livesInMainMemory} from '../../checks';
import {aliasOf, numbersIn} from '../../engine';
import {areFinite, areFiniteOnHost, hasFiniteSquares, isSumFinite, partialSums} from '../../finite';
import {gpuKernel, runGpuKernel, runsGpuKernels} from '../../gpu';
import {hostKernel, isForHostKernel, runHostKernel} from '../../hostKernel';
import {recurrentStates} from '../../models/model';
import {isForWasmKernel, runWasmKernel, SGD_UPDATE} from '../../wasmKernels';

/** The values of a model's weights and of an optimizer's slots before a step. */
export type Snapshot = ReturnType<typeof takeSnapshot>;

/**
 * Holds the values of all variables that a step may change: weights, batch-norm statistics, slots.
 *
 * Copies nothing: a reshape shares its data, and assigning to a variable swaps the data it points
 * to. It lives as long as the surrounding `tidy`.
 */
export function takeSnapshot(model: LayersModel, optimizer: Optimizer) {
  const variables = model.weights.map((weight) => weight.read() as Variable);
  for (const {variable} of slotsOf(optimizer)) variables.push(variable);
  const before = variables.map((variable) => {
    return {variable, value: aliasOf(variable as Tensor), data: variable.dataId};
  });
  const changed = () => before.filter(({variable, data}) => variable.dataId !== data);
  const states = recurrentStates(model);
  return {
    /** Returns weights that have changed since, such as batch-norm statistics. */
    changed: (): Variable[] => changed().map(({variable}) => variable),
    /** Rolls back on the device, unless `sound` is true; variables that are settled stay. */
    keepIf(sound: Scalar, settled: readonly Variable[] = []): void {
      const choose = chooser(sound);
      for (const {variable, value} of changed()) {
        if (!settled.includes(variable)) variable.assign(choose(variable, value));
      }
      states.keepIf(choose);
    },
    restore(): void {
      for (const {variable, value} of changed()) variable.assign(value);
      states.restore();
    },
  };
}

/**
 * Updates the weights if the step is sound: some row is kept, and gradients and statistics are
 * finite. Otherwise nothing changes.
 *
 * On cpu and wasm, an unsound step does not call the optimizer. On a GPU soundness is not read
 * back, so the optimizers of tfjs are rolled back. Any other optimizer gets zeros, because its
 * behaviour on NaN is unknown. The SGD of tfjs is not called: see {@link updateBySgd}.
 *
 * @param names  the weights that were ever trained, in the order of the slots; `haveSlots` is true
 *   once the optimizer has taken a step with all of them. `variables` are those trained now.
 */
export function update(
  optimizer: Optimizer,
  {gradients, weights}: {gradients: NamedTensorMap; weights: Tensor},
  {names, haveSlots, variables}: {names: readonly string[]; haveSlots: boolean; variables: readonly Variable[]},
  before: Snapshot,
): Soundness {
  const soundness = soundnessOf(gradients, weights, before);
  const {sound} = soundness;
  let settled: Variable[] = [];
  if (sound !== false && isSgd(optimizer)) settled = updateBySgd(optimizer, gradients, variables, sound);
  else if (sound !== false) {
    // Slots created in this step cannot be rolled back.
    const canRollBack = haveSlots && isOfTfjs(optimizer);
    optimizer.applyGradients(inSlotOrder(canRollBack ? gradients : zerosUnless(sound, gradients), names));
  }
  rollBackUnless(sound, before, settled);
  return soundness;
}

/** What the SGD of tfjs consists of: the rate, negative, and a counter. */
interface Sgd {
  c: Scalar;
  incrementIterations(): void;
}

/** The update of the SGD of tfjs, before other code may have replaced it. */
const UPDATE_BY_SGD = /* @__PURE__ */ updateOf('SGD');

/** Whether an optimizer is the SGD of tfjs, whose update {@link updateBySgd} knows. */
function isSgd(optimizer: object): optimizer is Sgd {
  const {c, incrementIterations, applyGradients} = optimizer as Partial<Sgd & Optimizer>;
  if (applyGradients !== UPDATE_BY_SGD || !(c instanceof Tensor)) return false;
  return typeof incrementIterations === 'function' && isOfTfjs(optimizer as Optimizer);
}

/**
 * Updates weights as the SGD of tfjs does, with its bits on cpu and wasm. On a GPU the update
 * depends on whether the step is sound: one launch for a weight, where the optimizer and a
 * roll-back take three.
 */
function updateBySgd(
  optimizer: Sgd,
  gradients: NamedTensorMap,
  variables: readonly Variable[],
  sound: Scalar | true,
): Variable[] {
  const rate = reshape(optimizer.c, [1]);
  const updatedBy = (gradient: Tensor, weight: Variable): Tensor => {
    if (isForWasmKernel(SGD_UPDATE, weight, gradient)) return runWasmKernel(SGD_UPDATE, {weight, gradient, rate});
    if (isForHostKernel(weight)) return runHostKernel(SGD_ON_HOST, [weight, gradient, rate], weight.shape);
    const next = () => add(mul(optimizer.c, gradient), weight);
    if (sound === true) return next();
    if (!runsGpuKernels()) return chooser(sound)(next(), weight);
    return runGpuKernel(SGD_ON_GPU, [reshape(sound, [1]), weight, gradient, rate], weight.shape);
  };
  // A layer in several models is listed with each of them.
  const updated = [...new Set(variables)].filter(({name}) => gradients[name]);
  for (const weight of updated) weight.assign(updatedBy(gradients[weight.name] as Tensor, weight));
  optimizer.incrementIterations();
  return updated;
}

const SGD_ON_HOST = /* @__PURE__ */ hostKernel('OhemSgd', ['Weight', 'Gradient', 'Rate'], ({read}) => {
  const [weights, gradient, [rate = 0]] = [read('Weight'), read('Gradient'), read('Rate')];
  const updated = new Float32Array(weights.length);
  for (let at = 0; at < updated.length; at++) {
    updated[at] = Math.fround(rate * (gradient[at] as number)) + (weights[at] as number);
  }
  return updated;
});

const SGD_ON_GPU = /* @__PURE__ */ gpuKernel({
  name: 'OhemSgd',
  inputs: ['Sound', 'Weight', 'Gradient', 'Rate'],
  dtype: 'float32',
  code: `
    float weight = WeightHere;
    if (getSound(0) != 0.0) { weight += getRate(0) * GradientHere; }
    setOutput(weight);`,
  packed: 'setOutput(getSound(0).x != 0.0 ? WeightHere + getRate(0).x * GradientHere : WeightHere);',
});

/** Names of the tfjs optimizers, which change only weights and slots. */
const OF_TFJS = ['Adadelta', 'Adagrad', 'Adam', 'Adamax', 'Momentum', 'RMSProp', 'SGD'];

/** Whether an optimizer is an unmodified one of tfjs. */
function isOfTfjs(optimizer: Optimizer): boolean {
  const name = OF_TFJS.find((known) => known === optimizer.getClassName?.());
  return name !== undefined && optimizer.constructor === classOf(name) && optimizer.applyGradients === updateOf(name);
}

function classOf(name: string) {
  return serialization.SerializationMap.getMap().classNameMap[name]?.[0];
}

function updateOf(name: string): unknown {
  return (classOf(name)?.prototype as Optimizer | undefined)?.applyGradients;
}

/** Whether gradients and statistics are finite, and whether some row is kept, too. */
export interface Soundness {
  finite: Scalar | boolean;
  /** A tensor on a GPU, where it is not read back. */
  sound: Scalar | boolean;
}

/**
 * Determines whether a step may count: gradients and changed statistics are finite, and some row is
 * kept.
 */
export function soundnessOf(gradients: NamedTensorMap, weights: Tensor, before: Snapshot): Soundness {
  const all = Object.values(gradients);
  if (livesInMainMemory()) {
    const areAllFinite = all.every(hasFiniteSquares) && before.changed().every(areFiniteOnHost);
    return {
      finite: areAllFinite,
      sound: areAllFinite && numbersIn<'float32'>(weights).some((weight) => weight > 0),
    };
  }
  if (runsGpuKernels()) {
    const parts = partialSums(all, before.changed());
    // One thread looks at all of them.
    const kept = weights.size <= MOST_WEIGHTS ? weights : reshape(max(weights), [1]);
    const sound = runGpuKernel(SOUND, [parts, kept], [1], [parts.size, kept.size]);
    return {finite: isSumFinite(parts), sound: reshape(sound, [])};
  }
  const finite = areFinite(all, before.changed());
  return {finite, sound: logicalAnd(finite, greater(max(weights), 0)) as Scalar};
}

/** Number of weights up to which one thread of a GPU finds whether one is over 0. */
const MOST_WEIGHTS = 1024;

/** Whether the parts of a sum are finite, and some weight is over 0. */
const SOUND = /* @__PURE__ */ gpuKernel({
  name: 'OhemSound',
  inputs: ['Parts', 'Weights'],
  dtype: 'bool',
  integers: ['parts', 'weights'],
  code: `
    float total = 0.0;
    for (int i = 0; i < parts; i++) { total += getParts(i); }
    float kept = 0.0;
    for (int i = 0; i < weights; i++) {
      if (getWeights(i) > 0.0) { kept = 1.0; }
    }
    if (!isNumber(total)) { kept = 0.0; }
    setOutput(kept);`,
  isPacked: true,
});

/** Returns the gradients of a sound step; otherwise zeros, also in place of NaN. */
export function zerosUnless(sound: Scalar | boolean, gradients: NamedTensorMap): NamedTensorMap {
  if (sound === true) return gradients;
  const choose = sound === false ? (_: Tensor, zeros: Tensor) => zeros : chooser(sound);
  const safe = (gradient: Tensor) => choose(gradient, zerosLike(gradient));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, safe(gradient)]));
}

/** Rolls back an unsound step, but for variables that are settled. */
export function rollBackUnless(sound: Scalar | boolean, before: Snapshot, settled?: readonly Variable[]): void {
  if (sound === false) before.restore();
  else if (sound !== true) before.keepIf(sound, settled);
}

/** Scales all gradients down so that their global norm, `√ Σ g²`, is at most `clipNorm`. */
export function clipByGlobalNorm(gradients: NamedTensorMap, clipNorm: number | undefined): NamedTensorMap {
  const terms = Object.values(gradients);
  if (clipNorm === undefined || terms.length === 0) return gradients;
  // Divide by the largest entry: squares of large entries overflow.
  const unit = maximum(max(stack(terms.map((gradient) => max(abs(gradient))))), 1e-30);
  const norm = mul(unit, sqrt(sum(stack(terms.map((gradient) => sum(square(div(gradient, unit))))))));
  const scale = div(clipNorm, maximum(norm, clipNorm));
  return Object.fromEntries(Object.entries(gradients).map(([name, gradient]) => [name, mul(gradient, scale)]));
}

/**
 * Builds a choice between two whole tensors by a condition on the device. The other tensor leaves
 * no trace, even if it is NaN. It gathers one slice by index, because `tf.where` would first spread
 * the condition over every element.
 */
function chooser(condition: Scalar): (whenTrue: Tensor, whenFalse: Tensor) => Tensor {
  const isOnGpu = runsGpuKernels();
  const given = reshape(condition, [1]);
  const slice = cast(given, 'int32');
  return (whenTrue, whenFalse) => {
    if (isOnGpu && whenTrue.dtype === 'float32') {
      return runGpuKernel(CHOICE, [given, whenTrue, whenFalse], whenTrue.shape);
    }
    // Do not reshape the result: wasm uses the shape that data was created with, and refuses a bias
    // that was a matrix.
    return gatherND(stack([whenFalse, whenTrue]), slice);
  };
}

/** One of two tensors, by a condition. */
const CHOICE = /* @__PURE__ */ gpuKernel({
  name: 'OhemChoice',
  inputs: ['Condition', 'WhenTrue', 'WhenFalse'],
  dtype: 'float32',
  code: `
    float chosen = WhenFalseHere;
    if (getCondition(0) != 0.0) { chosen = WhenTrueHere; }
    setOutput(chosen);`,
  packed: 'setOutput(getCondition(0).x != 0.0 ? WhenTrueHere : WhenFalseHere);',
});

/** An item in a list of slots: the variable, named after its weight (`dense/kernel/m`). */
export interface ListedSlot {
  originalName: string;
  variable: Variable;
}

/** A variable of an optimizer; `owner` is the name of its weight. */
interface Slot {
  /** Name of the field in the optimizer. */
  field: string;
  /** Position in that field, if it is a list. */
  place?: number;
  variable: Variable;
  owner?: string;
}

/** Lists the slots of an optimizer. tfjs has no such list: slots are fields, alone or in lists. */
export function slotsOf(optimizer: Optimizer): Slot[] {
  const slots: Slot[] = [];
  for (const field of Object.keys(optimizer)) {
    const value: unknown = (optimizer as unknown as Record<string, unknown>)[field];
    if (value instanceof Variable) slots.push({field, variable: value});
    if (!Array.isArray(value)) continue;
    for (const [place, item] of value.entries() as Iterable<[number, Partial<ListedSlot> | null]>) {
      if (!(item?.variable instanceof Variable)) continue;
      const name = item.originalName ?? '';
      slots.push({field, place, variable: item.variable, owner: name.slice(0, name.lastIndexOf('/'))});
    }
  }
  return slots;
}

/** Lists the names of the weights that an optimizer has slots for, in the order of the slots. */
export function slotOwners(optimizer: Optimizer): string[] {
  return slotsOf(optimizer).flatMap(({owner}) => owner ?? []);
}

/**
 * Puts gradients into a fixed order, with gaps for weights that are not trained now. tfjs's
 * optimizers find the momentum of a weight by its position. Without the gaps, freezing a layer
 * would shift all later positions.
 */
function inSlotOrder(
  gradients: NamedTensorMap,
  names: readonly string[],
): NamedTensorMap | {name: string; tensor: Tensor}[] {
  const inOrder = names.map((name) => ({name, tensor: (gradients[name] ?? null) as Tensor}));
  const hasGaps = inOrder.some(({tensor}) => tensor === null);
  return hasGaps ? inOrder : Object.fromEntries(inOrder.map(({name, tensor}) => [name, tensor]));
}
