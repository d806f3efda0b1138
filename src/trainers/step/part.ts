/** @file Checks of the rows that one shard keeps of a batch. */

import {Tensor, tensor1d} from '@tensorflow/tfjs-core';
import {rangeError, typeError} from '../../checks';
import type {StepOptions} from '../../data/batchOptions';
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

/**
 * Returns the threshold of all shards if a batch is that of a shard without rows; checks every
 * given threshold.
 *
 * A selector that ranks over the shards still exchanges, because the others wait for this one.
 */
export function emptyPart(
  settings: StepSettings,
  xs: StepTensors,
  ys: StepTensors,
  {threshold: given, ...context}: Pick<StepOptions, 'threshold' | 'step'>,
): GlobalThreshold | undefined {
  const {where, model, targets, select, reduction, fingerprint} = settings;
  if (given) checkPart(settings, given);
  if (!hasNoRow(xs) || !(given || select.acceptsEmpty)) return undefined;
  modelTensors(where, model, xs, ys, {targets, mayBeEmpty: true});
  if (!select.acceptsEmpty) return given;
  const {threshold} = select(tensor1d([], 'float32'), {...context, ...(fingerprint && {model: fingerprint()})});
  if (!threshold) throw typeError(where, 'select', 'return the threshold of all shards for no row', threshold);
  checkThreshold(where, threshold, reduction, true);
  return threshold;
}
