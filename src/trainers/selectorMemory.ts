import {type DataType, keep, reshape, Tensor, type Tensor1D, tensor1d} from '@tensorflow/tfjs-core';
import {typeError} from '../checks';
import type {SelectionContext, Selector} from '../types';

/** What a selector remembers from one step to the next: one tensor, which stays on the device. */
export interface SelectorMemory {
  /** What it remembered of the last step that came to its end; undefined before that. */
  recall(): Tensor1D | undefined;
  /** Asks the selector, which has just selected, what it wants to know next time. */
  note(losses: Tensor1D, context: SelectionContext): void;
  /** The step came to its end: what was noted takes the place of what was remembered. */
  advance(): void;
  /** The step threw: nothing was noted. */
  stay(): void;
  /** Reads what it remembers, to go on with it another time; undefined where that is nothing. */
  save(): Promise<SavedMemory | undefined>;
  /** Remembers what was saved. */
  restore(saved: SavedMemory): void;
  dispose(): void;
}

/** What a selector remembers, as plain JSON: numbers that JSON does not know are texts, `'NaN'`. */
export interface SavedMemory {
  dtype: DataType;
  values: (number | string)[];
}

/** Builds the memory of a selector, empty. */
export function selectorMemory(where: string, select: Selector): SelectorMemory {
  let remembered: Tensor1D | undefined;
  let noted: Tensor1D | undefined;
  return {
    recall: () => remembered,
    note(losses, context) {
      if (!select.remember) return;
      const memory: unknown = select.remember(losses, context);
      if (!(memory instanceof Tensor && memory.rank === 1)) {
        const got = memory instanceof Tensor ? memory.shape : memory;
        throw typeError(where, 'select', 'remember a tensor of one axis', got, 'Flatten it with tf.reshape(x, [-1]).');
      }
      noted?.dispose();
      // A view of its own: it may be the losses, or what was remembered before.
      noted = keep(reshape(memory, [memory.size]));
    },
    advance() {
      if (!noted) return;
      remembered?.dispose();
      [remembered, noted] = [noted, undefined];
    },
    stay() {
      noted?.dispose();
      noted = undefined;
    },
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
      this.stay();
      remembered?.dispose();
      remembered = undefined;
    },
  };
}
