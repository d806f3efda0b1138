/** @file The state of an optimizer: its slots, their locations, and its numbers. */

import {clone, keep, type Optimizer, Tensor, Variable, variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {typeError} from '../../checks';
import {weightsOf} from '../../models/model';
import {type ListedSlot, slotsOf} from '../step/update';

/** Location of a slot in an optimizer, as plain JSON. */
interface SlotPlace {
  /** Name of the field in the optimizer. */
  field: string;
  /** Position in that field, if it is a list with one slot per weight. */
  place?: number;
  /** Number of the weight that owns the slot. Names change from one run to another. */
  weight?: number;
}

/** The saved state of an optimizer, without the values of its slots. */
export interface SavedOptimizer {
  className: string;
  iterations: number;
  slots: SlotPlace[];
  /** The learning rate and numbers that are not hyperparameters; absent in version 1. */
  numbers?: Record<string, number>;
}

/** Returns the state of an optimizer for the weights of a model, and its slots. Reads no values. */
export function optimizerState(
  where: string,
  optimizer: Optimizer,
  model: LayersModel,
): {saved: SavedOptimizer; values: Tensor[]} {
  const slots = [...variablesOf(where, optimizer, model), ...tensorsOf(optimizer)];
  checkNothingHidden(where, optimizer, model);
  return {
    saved: {
      className: classNameOf(optimizer),
      iterations: optimizer.iterations ?? 0,
      slots: slots.map(({place}) => place),
      numbers: numbersOf(optimizer),
    },
    values: slots.map(({value}) => value),
  };
}

/** Checks that a saved state fits the optimizer that will train a model. */
export function checkOptimizerState(
  where: string,
  optimizer: Optimizer,
  model: LayersModel,
  saved: SavedOptimizer,
  values: Tensor[],
): void {
  const className = classNameOf(optimizer);
  const savedName = saved.className ?? NAMELESS;
  if (className !== savedName) {
    throw typeError(where, 'optimizer', `be the ${savedName} that was saved`, className);
  }
  const wrong = saved.slots.find((place, i) => !(values[i] && fitsSlot(optimizer, model, place, values[i])));
  if (wrong || values.length !== saved.slots.length) {
    throw typeError(where, 'target', 'hold slots for the weights of the model', `others in ${wrong?.field ?? 'it'}`);
  }
}

/**
 * Restores the saved state of an optimizer; slots of other models stay. It does not call
 * `setWeights`: not every optimizer has it, and it recomputes the powers of Adam's decay rates with
 * different rounding.
 */
export function restoreOptimizer(
  optimizer: Optimizer,
  model: LayersModel,
  {slots, iterations, numbers = {}}: SavedOptimizer,
  values: Tensor[],
): void {
  const fields = fieldsOf(optimizer);
  const weights = weightsOf(model);
  const others = clearSlots(optimizer, new Set(weights.map(({name}) => name)));
  for (const [i, {field, place, weight}] of slots.entries()) {
    const value = values[i] as Tensor;
    const held = fields[field];
    if (place !== undefined && weight !== undefined) {
      const originalName = `${weights[weight]?.name}/${field}`;
      (held as ListedSlot[])[(others.get(field) ?? 0) + place] = {originalName, variable: variable(value, false)};
    } else if (held instanceof Variable) {
      held.assign(value);
    } else {
      (held as Tensor).dispose();
      fields[field] = keep(clone(value));
    }
  }
  Object.assign(fields, numbers, {iterations_: iterations});
}

/** Disposes the listed slots of some weights. Returns the number of slots left in each list. */
function clearSlots(optimizer: Optimizer, owners: ReadonlySet<string>): Map<string, number> {
  const fields = fieldsOf(optimizer);
  const others = new Map<string, ListedSlot[]>();
  for (const {field, place, variable: slot, owner = ''} of slotsOf(optimizer)) {
    if (place === undefined) continue;
    const kept = others.get(field) ?? [];
    others.set(field, kept);
    if (owners.has(owner)) slot.dispose();
    else kept.push((fields[field] as ListedSlot[])[place] as ListedSlot);
  }
  Object.assign(fields, Object.fromEntries(others));
  return new Map([...others].map(([field, kept]) => [field, kept.length]));
}

/** A tensor of an optimizer, with its location. */
interface PlacedSlot {
  place: SlotPlace;
  value: Tensor;
}

/** Lists the slots of one model's weights, renumbered without those of other models. */
function variablesOf(where: string, optimizer: Optimizer, model: LayersModel): PlacedSlot[] {
  const names = weightsOf(model).map(({name}) => name);
  const gaps = new Map<string, number>();
  return slotsOf(optimizer).flatMap(({field, place, owner, variable: value}) => {
    if (place === undefined) return [{place: {field}, value}];
    const weight = names.indexOf(owner ?? '');
    const before = gaps.get(field) ?? 0;
    if (weight >= 0) return [{place: {field, place: place - before, weight}, value}];
    // Only the optimizers of tfjs are known to name their slots after the weights.
    if (!OF_TFJS.includes(classNameOf(optimizer))) throw hidden(where, `${field}[${place}]`);
    gaps.set(field, before + 1);
    return [];
  });
}

const OF_TFJS = ['SGD', 'Momentum', 'RMSProp', 'Adam', 'Adamax', 'Adagrad', 'Adadelta'];
const NAMELESS = 'Optimizer';

function classNameOf(optimizer: Optimizer): string {
  return optimizer.getClassName?.() ?? NAMELESS;
}

/** Lists tensors in fields that are not variables, such as the learning rate of SGD. */
function tensorsOf(optimizer: Optimizer): PlacedSlot[] {
  return Object.entries(fieldsOf(optimizer)).flatMap(([field, value]) => {
    // The `m` of a momentum optimizer is a hyperparameter, which the new optimizer already has.
    const isHyperparameter = field === 'm' && 'setMomentum' in optimizer;
    const isOne = value instanceof Tensor && !(value instanceof Variable) && !isHyperparameter;
    return isOne ? [{place: {field}, value}] : [];
  });
}

/**
 * Returns the learning rate, and numbers that `getConfig` does not list: counters, not
 * hyperparameters.
 */
function numbersOf(optimizer: Optimizer): Record<string, number> {
  const {learningRate, ...fields} = fieldsOf(optimizer);
  const config = optimizer.getConfig?.() ?? {};
  const own = Object.entries(fields).filter(([name, value]) => {
    return typeof value === 'number' && name !== 'iterations_' && !(name in config);
  });
  return Object.fromEntries([...own, ...(typeof learningRate === 'number' ? [['learningRate', learningRate]] : [])]);
}

/** Refuses an optimizer with tensors in places that are not saved. */
function checkNothingHidden(where: string, optimizer: Optimizer, model: LayersModel): void {
  const known = new Set<unknown>([
    ...slotsOf(optimizer).map(({variable: slot}) => slot),
    ...weightsOf(model),
    optimizer,
  ]);
  const search = (value: unknown, path: string): void => {
    if (known.has(value) || typeof value !== 'object' || value === null) return;
    known.add(value);
    if (value instanceof Tensor) throw hidden(where, path);
    for (const [name, inner] of entriesOf(value)) search(inner, `${path}.${name}`);
  };
  for (const [field, value] of Object.entries(fieldsOf(optimizer))) {
    if (!(value instanceof Tensor)) search(value, field);
  }
}

/**
 * Lists the items of a collection, a record or another optimizer; none for other objects, such as a
 * model.
 */
function entriesOf(value: object): [unknown, unknown][] {
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value].map((item, i) => [i, item]);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  return Array.isArray(value) || isPlain || 'applyGradients' in value ? Object.entries(value) : [];
}

function hidden(where: string, path: string): TypeError {
  const constraint = "keep its slots as tensors in its fields, or in lists of {originalName: 'weight/…', variable}";
  const remedy = 'Other slots could not be restored.';
  return typeError(where, 'optimizer', constraint, `another one in ${path}`, remedy);
}

/** Whether an optimizer has this slot, or would create it for that weight of the model. */
function fitsSlot(optimizer: Optimizer, model: LayersModel, slot: SlotPlace, value: Tensor): boolean {
  const held = fieldsOf(optimizer)[slot.field];
  const like = slot.weight === undefined ? held : weightsOf(model)[slot.weight];
  return (slot.weight === undefined || Array.isArray(held)) && String((like as Tensor)?.shape) === String(value.shape);
}

function fieldsOf(optimizer: Optimizer): Record<string, unknown> {
  return optimizer as unknown as Record<string, unknown>;
}
