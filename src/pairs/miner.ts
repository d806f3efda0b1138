/** @file Building blocks of the miners, and how a loss calls them. */

import {add, mul, Tensor, type Tensor2D, type TensorContainer, tidy} from '@tensorflow/tfjs-core';
import {checkFunction, checkOptionNames, checkValues, shapeText, typeError} from '../checks';
import {offTape} from '../engine';
import {DISTANCE_OPTIONS, type DistanceOptions, isSameSpace, type PairDistance, type Space, spaceOf} from './distances';
import type {Miner, MiningContext, Pairs, Triplets} from './mining';
import {inSpace, labelledRows, type PairBatch, pairBatch} from './pairBatch';
import {valuesAt} from './pairMasks';

/** A rule of this library; it uses the distances of the loss unless it needs its own. */
interface Rule {
  choose: (batch: PairBatch) => Triplets | Pairs;
  /** Distance set by the user, or required by the rule. */
  space: Space | undefined;
}

const OF_REFERENCE = ['reference.labels', 'reference.embeddings'] as const;

const RULES = new WeakMap<Miner, Rule>();

interface MinerOptions extends DistanceOptions {
  /** Distance if the miner is called without a loss. Default `'euclidean'`. */
  byDefault?: PairDistance;
  /** Distance that the rule requires, whatever the loss uses. */
  always?: Space;
}

/** Builds a miner from a rule. */
export function miner(name: string, options: MinerOptions, choose: Rule['choose']): Miner {
  const {byDefault = 'euclidean', always} = options;
  const isGiven = options.distance !== undefined || options.normalize !== undefined;
  const space = always ?? spaceOf(name, options, byDefault);
  const mine: Miner = (embeddings, labels, context = {}) => {
    checkOptionNames(name, context, ['reference', 'distances', 'distance', 'step']);
    return offTape(() =>
      tidy(() => {
        const batch = labelledRows(name, labels, embeddings);
        const {reference: given, step = 0} = context;
        const reference = given && labelledRows(name, given.labels, given.embeddings, OF_REFERENCE);
        return choose(pairBatch(name, space, batch, {reference, step})) as TensorContainer;
      }),
    ) as Triplets | Pairs;
  };
  RULES.set(mine, {choose, space: always ?? (isGiven ? space : undefined)});
  return mine;
}

/** Checks the options of a miner. */
export function checkMinerOptions(name: string, options: object | undefined, names: readonly string[] = []): void {
  checkOptionNames(name, options, [...names, ...DISTANCE_OPTIONS]);
}

/** Checks that an argument is a miner. */
export function checkMiner(name: string, mine: unknown): void {
  checkFunction(name, 'mine', 'be a miner', mine, 'Build one: semiHard().');
}

/** Mines the pairs or triplets of a batch for a loss. */
export function minedBy(mine: Miner, batch: PairBatch, embeddings: Tensor2D, labels: Tensor, context: MiningContext) {
  const rule = RULES.get(mine);
  if (rule) {
    const space = rule.space ?? batch.space;
    return rule.choose(
      isSameSpace(space, batch.space)
        ? batch
        : inSpace(batch, space, embeddings, context.reference?.embeddings as Tensor2D),
    );
  }
  const {distances, space} = batch;
  const mined = mine(embeddings, labels, {...context, distances, distance: space.distance});
  checkMined(batch, mined);
  return comparable(batch, mined);
}

/** Removes rows that are not finite, or have no label, from the result of a user's miner. */
function comparable({positives, negatives}: PairBatch, mined: Triplets | Pairs): Triplets | Pairs {
  const others = add<Tensor2D>(positives, negatives);
  if (!('weights' in mined)) {
    return {...mined, positives: mul(mined.positives, others), negatives: mul(mined.negatives, others)};
  }
  const {positive, negative, weights} = mined;
  const both = mul(valuesAt(others, positive), valuesAt(others, negative));
  return {...mined, weights: mul(weights, both)};
}

/** Checks the result of a user's miner. */
function checkMined({name, distances}: PairBatch, mined: Triplets | Pairs): void {
  const [rows, columns] = distances.shape;
  const {positive, negative, weights} = (mined ?? {}) as Partial<Triplets>;
  const {positives, negatives} = (mined ?? {}) as Partial<Pairs>;
  const isOf = (tensor: unknown, shape: readonly (number | undefined)[]) =>
    tensor instanceof Tensor && String(tensor.shape) === String(shape);
  if ([positives, negatives].every((pairs) => isOf(pairs, [rows, columns]))) return;
  const width = weights?.shape[1];
  if (width && [positive, negative, weights].every((slots) => isOf(slots, [rows, width]))) {
    const isPlace = (place: number) => Number.isInteger(place) && place >= 0 && place < columns;
    for (const [side, places] of Object.entries({positive, negative})) {
      checkValues(name, 'mine', `return places from 0 to ${columns - 1} in ${side}`, places as Tensor, isPlace);
    }
    return;
  }
  const remedy = 'For triplets return {positive, negative, weights} of shape [B, P].';
  throw typeError(name, 'mine', `return {positives, negatives} of shape ${shapeText([rows, columns])}`, mined, remedy);
}
