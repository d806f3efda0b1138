import {type Optimizer, type Tensor, type Variable, variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {weightsOf} from '../../models/model';
import {type ListedSlot, slotsOf} from '../step/update';

/** Where a slot of an optimizer is, as plain JSON. */
export interface SlotPlace {
  /** The field of the optimizer. */
  field: string;
  /** Its place in that field, where it is a list; a list has a slot for each weight. */
  place?: number;
  /** The weight of the model that it belongs to. */
  weight?: number;
}

/** Where the slots are, by the number of the weight: names change from one run to another. */
export function slotPlaces(optimizer: Optimizer, model: LayersModel): SlotPlace[] {
  const names = weightsOf(model).map(({name}) => name);
  return slotsOf(optimizer).map(({field, place, owner}) => {
    return place === undefined ? {field} : {field, place, weight: names.indexOf(owner ?? '')};
  });
}

/** Whether an optimizer has such a slot, or would make it for a weight of that model. */
export function fitsSlot(optimizer: Optimizer, model: LayersModel, slot: SlotPlace, value: Tensor): boolean {
  const held = fieldsOf(optimizer)[slot.field];
  const like = slot.weight === undefined ? held : weightsOf(model)[slot.weight];
  return (slot.weight === undefined || Array.isArray(held)) && String((like as Tensor)?.shape) === String(value.shape);
}

/**
 * Gives an optimizer the slots that it had. Not by its own `setWeights`: that computes powers of Adam's decay rates anew, a little different, and not
 * every optimizer has one.
 */
export function restoreSlots(optimizer: Optimizer, model: LayersModel, places: SlotPlace[], values: Tensor[]): void {
  const fields = fieldsOf(optimizer);
  const weights = weightsOf(model);
  for (const {field, place, variable: old} of slotsOf(optimizer)) {
    if (place === undefined) continue;
    old.dispose();
    fields[field] = [];
  }
  for (const [i, {field, place, weight}] of places.entries()) {
    const value = values[i] as Tensor;
    if (place === undefined || weight === undefined) (fields[field] as Variable).assign(value);
    else {
      const originalName = `${weights[weight]?.name}/${field}`;
      (fields[field] as ListedSlot[])[place] = {originalName, variable: variable(value, false)};
    }
  }
}

function fieldsOf(optimizer: Optimizer): Record<string, unknown> {
  return optimizer as unknown as Record<string, unknown>;
}
