import {train} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {ohemStep, type PerSampleLoss} from 'ohem-tfjs';
import type {Learner} from '../kit/trainInTurn';
import type {Batch} from './batches';
import type {Quality} from './record';
import type {Rule} from './rules';

/** One case with one seed: the data and the model that all of its rules share. */
export interface Task {
  name: string;
  rules: Rule[];
  loss: PerSampleLoss;
  /** The constant rate of Adam. */
  learningRate: number;
  measureEvery: number;
  /** Builds the model, with the same initial weights each time. */
  model(): LayersModel;
  /** Makes the batch of a step, counted from 0. */
  batchOf(step: number): Batch;
  /** Returns a function that measures one model again and again. */
  measurer(): (model: LayersModel) => Quality;
  /** Disposes the data. */
  dispose(): void;
}

/** Builds the model of a task, to be trained by a rule. */
export function learnerOf(task: Task, {name, select, granularity}: Rule): Learner<Batch, Quality> {
  const model = task.model();
  const optimizer = train.adam(task.learningRate);
  const step = ohemStep(model, {loss: task.loss, select, optimizer, granularity});
  const measure = task.measurer();
  return {
    name,
    step: async ({xs, ys}) => (await step(xs, ys).read()).kept,
    // The optimizer has it already.
    setLearningRate() {},
    measure: async () => measure(model),
    dispose() {
      step.dispose();
      optimizer.dispose();
      model.dispose();
    },
  };
}
