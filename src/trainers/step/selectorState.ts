import {type DataType, keep, reshape, Tensor, type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import {typeError} from '../../checks';
import type {SelectionContext, Selector} from '../../types';

/** What a selector carries from one step to the next: a tensor that stays on the device, and the state of its schedule. */
export interface SelectorState {
  /** The state as a selector is handed it. */
  context(): SelectionContext;
  /** Computes what the selector is to remember, right after it has selected. */
  note(losses: Tensor1D, context: SelectionContext): void;
  /** The step has ended: what was noted takes the place of what was remembered. */
  advance(step: number): void;
  /** Discards what was noted: the step threw. */
  stay(): void;
  /** Reads what is remembered, to resume with it later; undefined if that is nothing. */
  save(): Promise<SavedMemory | undefined>;
  /** Remembers what was saved. */
  restore(saved: SavedMemory): void;
  dispose(): void;
}

/** What a selector remembers, as plain JSON: numbers that JSON does not have are texts, `'NaN'`. */
export interface SavedMemory {
  dtype: DataType;
  values: (number | string)[];
}

/** Builds the state of a selector, at its beginning. */
export function selectorState(where: string, select: Selector): SelectorState {
  let remembered: Tensor1D | undefined;
  let noted: Tensor1D | undefined;
  const {schedule} = select;
  let scheduled = schedule?.init();
  const stay = () => {
    noted?.dispose();
    noted = undefined;
  };
  return {
    context: () => ({...(select.remember && {memory: remembered ?? null}), ...(schedule && {schedule: scheduled})}),
    note(losses, context) {
      if (!select.remember) return;
      const memory: unknown = select.remember(losses, context);
      if (!(memory instanceof Tensor && memory.rank === 1)) {
        const got = memory instanceof Tensor ? memory.shape : memory;
        throw typeError(where, 'select', 'remember a tensor of one axis', got, 'Flatten it with tf.reshape(x, [-1]).');
      }
      stay();
      // A view of its own: it may be the losses, or what was remembered before.
      noted = keep(reshape(memory, [memory.size]));
    },
    advance(step) {
      if (schedule) scheduled = schedule.next(scheduled, {step});
      if (!noted) return;
      remembered?.dispose();
      [remembered, noted] = [noted, undefined];
    },
    stay,
    async save() {
      if (!remembered) return undefined;
      const {dtype} = remembered;
      const values = Array.from(await remembered.data(), (value) => (Number.isFinite(value) ? value : String(value)));
      return {dtype, values};
    },
    restore({dtype, values}) {
      if (!select.remember) return;
      remembered?.dispose();
      remembered = keep(tensor1d(values.map(Number), dtype));
    },
    dispose() {
      stay();
      remembered?.dispose();
      remembered = undefined;
    },
  };
}
