/** @file Checks of the rows that one shard keeps of a batch. */

import {Tensor, zeros} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../../checks';
import {partsOf} from '../../models/model';
import {modelTensors, type StepTensors} from '../../models/modelTensors';
import type {GlobalThreshold} from '../../types';
import type {StepSettings} from './options';
import {checkThreshold} from './selection';

/** Whether a shard passes a batch without rows, because it keeps none. */
function hasNoRow(xs: StepTensors): boolean {
  const inputs: unknown[] = xs instanceof Tensor ? [xs] : Object.values(Object(xs));
  return inputs.length > 0 && inputs.every((input) => input instanceof Tensor && input.shape[0] === 0);
}

/** Checks that a step with a threshold, whose counts are rows, does not count elements. */
export function checkUnit({where, granularity}: Pick<StepSettings, 'where' | 'granularity'>): void {
  if (granularity === 'sample') return;
  const remedy = 'To rank elements over shards, use globalTopK inside the step.';
  throw rangeError(where, 'granularity', "be 'sample' with a threshold, which counts rows", granularity, remedy);
}

/** Checks that the kept rows of a shard have the same gradient as among all rows of the batch. */
function checkPart(settings: StepSettings, threshold: GlobalThreshold): void {
  const {where, model, reduction} = settings;
  checkUnit(settings);
  checkThreshold(where, threshold, reduction, true);
  const mixing = partsOf(model).find((part) => part.getClassName?.() === 'BatchNormalization');
  if (!mixing || threshold.counts.length === 1) return;
  const got = `the layer ${mixing.name}, whose statistics would be those of the kept rows`;
  const remedy = 'Normalise each row by layerNormalization, or rank inside the step by globalTopK.';
  throw typeError(where, 'model', 'treat each row independently for a threshold over several shards', got, remedy);
}

/** Checks a batch without rows as if it had one. */
function checkEmpty({where, model, targets}: StepSettings, xs: StepTensors, ys: StepTensors): void {
  modelTensors(where, model, withOneRow(xs), withOneRow(ys), {targets});
}

function withOneRow(tensors: StepTensors): StepTensors {
  const padded = (tensor: Tensor) =>
    tensor instanceof Tensor && tensor.shape[0] === 0 ? zeros([1, ...tensor.shape.slice(1)], tensor.dtype) : tensor;
  if (tensors instanceof Tensor) return padded(tensors);
  if (Array.isArray(tensors)) return tensors.map(padded);
  return Object.fromEntries(
    Object.entries(Object(tensors) as Record<string, Tensor>).map(([name, each]) => [name, padded(each)]),
  );
}

/** Whether a batch is the empty part of a shard that keeps no row; checks every part. */
export function isEmptyPart(
  settings: StepSettings,
  xs: StepTensors,
  ys: StepTensors,
  threshold?: GlobalThreshold,
): boolean {
  if (!threshold) return false;
  checkPart(settings, threshold);
  if (!hasNoRow(xs)) return false;
  checkEmpty(settings, xs, ys);
  return true;
}
