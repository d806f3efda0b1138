import {clone, dispose} from '@tensorflow/tfjs-core';
import type {StepReport} from 'ohem-tfjs';
import {lossCounts} from './lossCounts';
import type {LossHistograms} from './results';

/** The batch of a step, as mining saw it. */
export interface MinedBatch {
  /** Which digits of the training set they are. */
  rows: Uint32Array;
  /** The loss of each before the step. */
  losses: Float32Array;
  /** 1 for each that was backpropagated, else 0. */
  kept: Uint8Array;
}

/** A batch that is still on the device. */
export interface HeldBatch {
  read(): Promise<MinedBatch>;
  dispose(): void;
}

/**
 * Keeps of a report what a batch can be read from, as often as somebody asks; the report stays
 * whose it was.
 */
export function holdBatch(rows: Uint32Array, {losses, selection}: StepReport): HeldBatch {
  const held = {losses: clone(losses), indices: clone(selection.indices), weights: clone(selection.weights)};
  return {
    async read() {
      const [read, indices, weights] = await Promise.all([
        held.losses.data<'float32'>(),
        held.indices.data<'int32'>(),
        held.weights.data<'float32'>(),
      ]);
      const kept = new Uint8Array(rows.length);
      indices.forEach((row, place) => {
        if ((weights[place] as number) > 0) kept[row] = 1;
      });
      return {rows, losses: Float32Array.from(read), kept};
    },
    dispose: () => dispose(held),
  };
}

/** Counts the losses of a batch, and of the rows of it that were backpropagated. */
export function lossHistograms({losses, kept}: MinedBatch, step: number): LossHistograms {
  return {step, batch: lossCounts(losses), selected: lossCounts(losses.filter((_, place) => kept[place]))};
}
