import type {Tensor, Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {backendInUse, canReplay} from '../engine';
import {type Stages, tapedStage} from '../gradients/differentiate';
import {partsOf} from '../models/model';
import {isPure, visitedParts, visitFields} from './pureModel';
import {hasTwins, idsOf, isCurrent, type Known, recordStage, replayStage} from './recording';
import {type Remembered, remembered} from './remembered';

/**
 * Runs the stages of a step on tapes, or, if they compute the same in each step, replays the
 * kernels of an earlier step.
 *
 * The first batch of a new shape runs on a tape, the next one is recorded, and later ones are
 * replayed. If the model, its trained weights or the backend's kernels change, this starts over.
 *
 * @param areLossesPure  whether the losses depend only on their arguments.
 */
export function recordedStages(model: LayersModel, areLossesPure: boolean): Stages & {dispose(): void} {
  // The fields include the places of parts, so these are listed anew only if a field changes.
  let parts = visitedParts(model);
  let fields: unknown[] = [];
  let isModelPure = false;
  const [models, losses] = [remembered<Known>(), remembered<Known>()];
  const forget = () => {
    models.clear();
    losses.clear();
  };
  const visitAll = (variables: readonly Tensor[], visit: (value: unknown) => void) => {
    visit(backendInUse().backend);
    variables.forEach(visit);
    visitFields(parts, visit);
  };
  // Compares without a new list: a small model has more fields than numbers to compute.
  const hasChanged = (variables: readonly Tensor[]): boolean => {
    let place = 0;
    let isSame = true;
    visitAll(variables, (field) => {
      isSame &&= field === fields[place];
      place++;
    });
    return !isSame || place !== fields.length;
  };
  const lookAtModel = (variables: readonly Tensor[]) => {
    if (!hasChanged(variables)) return;
    forget();
    parts = visitedParts(model);
    const now: unknown[] = [];
    visitAll(variables, (field) => now.push(field));
    fields = now;
    isModelPure = isPure(model);
  };
  return {
    model(stage) {
      if (!canReplay()) return tapedStage(stage);
      // A layer that is part of several models is listed several times.
      const weights = [...new Set(model.weights.map((weight) => weight.read() as Variable))];
      lookAtModel([...weights, ...stage.targets]);
      if (!isModelPure) return tapedStage(stage);
      const given = [...stage.given, ...weights];
      // The weights are among the fields, and keep their shapes.
      const [key, known] = find(models, stage.given);
      if (typeof known === 'object') return replayStage(known, {...stage, given});
      if (known === 'not replayable' || hasTwins(idsOf(given))) return tapedStage(stage);
      if (known === 'seen') return recordStage({...stage, given}, {weights, parts: partsOf(model)}, models, key);
      if (models.isWorth(key)) models.set(key, 'seen');
      return tapedStage(stage);
    },
    loss(stage, {tape}) {
      // After a taped model, losses may use any of its tensors.
      if (tape || !areLossesPure) return tapedStage(stage);
      const [key, known] = find(losses, stage.given);
      if (typeof known === 'object') return replayStage(known, stage);
      if (known === 'not replayable' || hasTwins(idsOf(stage.given))) return tapedStage(stage);
      if (!losses.isWorth(key)) return tapedStage(stage);
      return recordStage(stage, {weights: [], parts: []}, losses, key);
    },
    dispose: forget,
  };
}

function find(known: Remembered<Known>, given: readonly Tensor[]): [key: string, found: Known | undefined] {
  let key = '';
  for (const {shape, dtype} of given) key += `${dtype}[${shape}]`;
  const found = known.get(key);
  if (typeof found !== 'object' || isCurrent(found)) return [key, found];
  known.drop(key);
  return [key, undefined];
}
