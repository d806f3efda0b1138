import type {Tensor, Variable} from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {backendInUse, canReplay} from '../engine';
import {type Stages, tapedStage} from '../gradients/differentiate';
import {partsOf} from '../models/model';
import {fieldsOf, isPure} from './pureModel';
import {hasTwins, isCurrent, type Known, recordStage, replayStage} from './recording';
import {type Remembered, remembered} from './remembered';

/**
 * Runs the stages of a step on tapes, or, where they compute the same in each step, by the kernels that an earlier
 * step ran.
 *
 * A batch of a new shape runs on a tape, the next one like it is recorded, and those behind it are replayed. If the model, its weights to train or the backend's kernels change, it begins again.
 *
 * @param areLossesPure  whether the losses go by what they are given alone.
 */
export function recordedStages(model: LayersModel, areLossesPure: boolean): Stages & {dispose(): void} {
  let fields: unknown[] = [];
  let isModelPure = false;
  const [models, losses] = [remembered<Known>(), remembered<Known>()];
  const forget = () => {
    models.clear();
    losses.clear();
  };
  const lookAtModel = (variables: readonly Tensor[]) => {
    const now = [backendInUse().backend, ...variables, ...fieldsOf(model)];
    if (now.length === fields.length && now.every((field, i) => field === fields[i])) return;
    forget();
    fields = now;
    isModelPure = isPure(model);
  };
  return {
    model(stage) {
      if (!canReplay()) return tapedStage(stage);
      // A layer that stands in several models is listed several times.
      const weights = [...new Set(model.weights.map((weight) => weight.read() as Variable))];
      lookAtModel([...weights, ...stage.targets]);
      if (!isModelPure) return tapedStage(stage);
      const given = [...stage.given, ...weights];
      const [key, known] = find(models, given);
      if (typeof known === 'object') return replayStage(known, {...stage, given});
      if (known === 'not replayable' || hasTwins(given)) return tapedStage(stage);
      if (known === 'seen') return recordStage({...stage, given}, {weights, parts: partsOf(model)}, models, key);
      if (models.isWorth(key)) models.set(key, 'seen');
      return tapedStage(stage);
    },
    loss(stage, {tape}) {
      // Behind a tape, losses may use whatever the model computed.
      if (tape || !areLossesPure) return tapedStage(stage);
      const [key, known] = find(losses, stage.given);
      if (typeof known === 'object') return replayStage(known, stage);
      if (known === 'not replayable' || hasTwins(stage.given)) return tapedStage(stage);
      if (!losses.isWorth(key)) return tapedStage(stage);
      return recordStage(stage, {weights: [], parts: []}, losses, key);
    },
    dispose: forget,
  };
}

function find(known: Remembered<Known>, given: readonly Tensor[]): [key: string, found: Known | undefined] {
  const key = given.map(({shape, dtype}) => `${dtype}[${shape}]`).join();
  const found = known.get(key);
  if (typeof found !== 'object' || isCurrent(found)) return [key, found];
  known.drop(key);
  return [key, undefined];
}
