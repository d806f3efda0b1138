import {clone, concat, type Tensor, type Tensor1D, tensor1d, type Variable} from '@tensorflow/tfjs-core';
import {livesInMainMemory, typeError} from '../../checks';
import {differentiate} from '../../gradients/differentiate';
import {partsOf} from '../../models/model';
import {outputLosses} from '../../models/modelLosses';
import {isOfLayers} from '../../replay/pureModel';
import {addUp, takeRows} from '../../rows';
import {type Forward, forwardStages, type Gradients, inferred, startsOf} from './backward';
import type {StepBatch} from './batch';
import type {StepSettings} from './options';
import {chooseRows, type SelectorState} from './selection';

/**
 * Scores the batch in inference mode without a tape, then runs an ordinary step on the selected
 * rows.
 *
 *     n rows forward (inference mode), k rows forward and backward (training mode)
 *
 * This is the OHEM paper's scheme of a read-only and a trained copy of the network. It needs the
 * least memory, because only the activations of `k` rows are saved. Its gradient is that of the
 * batch only if rows do not interact, so independence must be proved.
 *
 * @throws TypeError if rows may interact, or a layer keeps a state, or is not of tfjs-layers,
 *   before anything but the statistics has changed.
 *
 * @see Shrivastava, Gupta & Girshick, CVPR 2016, §4.2 (arXiv:1604.03540)
 */
export function recomputeBatch(
  settings: StepSettings,
  batch: StepBatch,
  variables: Variable[],
  state: SelectorState,
): Gradients {
  const {where} = settings;
  checkModel(settings);
  const scored = inferred(settings, batch);
  const chosen = chooseRows(settings, batch, scored, state);
  // A single row proves nothing: compute it twice, and count it once.
  const isOne = chosen.rows.size === 1;
  const rows = isOne ? concat([chosen.rows, chosen.rows]) : chosen.rows;
  const counts = isOne ? concat([chosen.counts, tensor1d([0])]) : chosen.counts;
  const kept = {
    ...batch,
    xs: batch.xs.map((x) => takeRows(x, rows)),
    ys: batch.ys.map((y) => takeRows(y, rows)),
    rowWeights: batch.rowWeights.map((weights) => takeRows(weights, rows)),
  };
  checkLosses(settings, batch, scored, rows);
  const {model, loss, seen: seenOf} = forwardStages({...settings, lastLayer: undefined}, kept, variables);
  const {seen, gradients, mixing} = differentiate(where, variables, {
    ...{model, loss},
    objective(run, losses) {
      const forward = seenOf(run, losses);
      const tensors = [...kept.xs, ...kept.ys, ...kept.rowWeights];
      return {
        seen: forward,
        starts: startsOf(settings, forward, {...chosen, counts: clone(counts)}),
        rowwise: {tensors, batchSize: rows.size},
      };
    },
  });
  if (mixing !== undefined) throw notRecomputable(where, 'model and loss', `rows that may interact (${mixing})`);
  const why = `as requested: ${chosen.rows.size} of ${batch.count} rows run forward a second time, and backward`;
  const saved = 1 - chosen.rows.size / batch.count;
  return {forward: {...seen, ...scored}, chosen, gradients, strategy: 'recompute', why, saved};
}

function checkModel({where, model}: StepSettings): void {
  for (const part of [...partsOf(model), model]) {
    if (part.stateful) throw notRecomputable(where, 'model', `the layer ${part.name}, which keeps a state`);
    const {activation, recurrentActivation} = part as {activation?: object; recurrentActivation?: object};
    const isKnown = [part, activation, recurrentActivation].every((thing) => !thing || isOfLayers(thing));
    const isPatched = Object.hasOwn(part, 'call') || Object.hasOwn(part, 'apply');
    if (isKnown && !isPatched) continue;
    throw notRecomputable(where, 'model', `the layer ${part.name}, which is not one of tfjs-layers`);
  }
  const fixed = model.inputs.find(({shape}) => shape[0] !== null);
  if (fixed) throw notRecomputable(where, 'model', `a batch size fixed at ${fixed.shape[0]}`);
}

/**
 * Checks a loss that does not declare itself `rowwise`. Its ops are proved to be row-wise later. A
 * dependence on the number of rows or their positions shows on no tape, only in the losses of the
 * kept rows alone.
 */
function checkLosses(
  {where, losses, lossWeights}: StepSettings,
  {ys, view}: StepBatch,
  {predictions, raw}: Pick<Forward, 'predictions' | 'raw'>,
  rows: Tensor1D,
) {
  if (losses.every((loss) => loss.rowwise)) return;
  const promise = 'If your loss scores each row independently, declare it: Object.assign(loss, {rowwise: true}).';
  const refused = (got: string) => notRecomputable(where, 'loss', got, promise);
  if (!livesInMainMemory()) throw refused('a function that does not declare it, and checking it needs a read');
  const [keptYs, keptPredictions] = [ys, predictions].map((all) => all.map((tensor) => takeRows(tensor, rows)));
  const alone = addUp(
    outputLosses(where, losses, lossWeights, keptYs as Tensor[], keptPredictions as Tensor[], view.losses),
  );
  const among = takeRows(raw, rows).dataSync();
  const isSame = alone.dataSync().every((loss, i) => {
    const other = among[i] as number;
    return (
      !Number.isFinite(loss - other) ||
      Math.abs(loss - other) <= 1e-4 * Math.max(Math.abs(loss), Math.abs(other)) + 1e-6
    );
  });
  if (!isSame) throw refused('one that gives the kept rows other losses alone');
}

function notRecomputable(where: string, what: string, got: string, more = ''): TypeError {
  const remedy = `The kept rows alone would have another gradient: use backward: 'auto'.${more && ` ${more}`}`;
  return typeError(where, what, "be known to treat each row independently for backward: 'recompute'", got, remedy);
}
