import {collapseRule} from '../../collapse';
import type {Place} from '../../data/batchSource';
import type {StepSettings} from '../step/options';
import {lossOfEmbeddings} from '../step/report';
import type {StepFigures} from './minedStep';

/** Builds a check that warns once if the embeddings of a pair loss have collapsed to a point. */
export function spreadWatch(settings: StepSettings) {
  const rule = collapseRule({margin: lossOfEmbeddings(settings)?.loss.atPoint});
  return ({spread, logs}: StepFigures, {epoch, batch}: Place): void => {
    if (spread === undefined) return;
    const warning = rule.note(settings.where, `epoch ${epoch}, batch ${batch}`, spread, logs.batchLoss);
    if (warning !== undefined) console.warn(warning);
  };
}
