import {memory} from '@tensorflow/tfjs-core';
import type {MiningLedger} from 'ohem-tfjs';
import {type Digits, IMAGE_SIZE} from '../../data/digits';
import {lossHistograms, type MinedBatch} from '../../experiment/minedBatch';
import type {SideBySideProgress} from '../../experiment/sideBySide';
import type {View} from '../protocol';
import {batchPicture} from './batchPicture';
import {mostMined} from './mostMined';

/** Digits on the wall of the batch, and on that of the ledger. */
const HARDEST = 64;
const MOST_MINED = 32;

/** Looks at a run from inside, after one of its steps. */
export async function viewOf(
  {index, step, msPerStep, strategy, why, guesses}: SideBySideProgress,
  batch: MinedBatch,
  ledger: MiningLedger,
  digits: Digits,
): Promise<View> {
  // Counted before this look at the model makes some of its own.
  const tensors = memory().numTensors;
  const {rows, losses, kept} = batch;
  const places = hardestPlaces(losses, HARDEST);
  const mined = mostMined(ledger, MOST_MINED);
  const hardestRows = places.map((place) => rows[place] as number);
  const guessed = await guesses([...hardestRows, ...mined]);
  const tileOf = (row: number, place: number) => ({
    row,
    label: digits.labels[row] as number,
    guess: guessed[place] as number,
    image: digits.images.slice(row * IMAGE_SIZE, (row + 1) * IMAGE_SIZE),
  });
  return {
    run: index,
    step,
    picture: batchPicture(batch, digits),
    histograms: lossHistograms(batch, step),
    hardest: hardestRows.map((row, wall) => {
      const place = places[wall] as number;
      return {...tileOf(row, wall), loss: losses[place] as number, kept: kept[place] === 1};
    }),
    mostMined: mined.map((row, wall) => ({
      ...tileOf(row, hardestRows.length + wall),
      seen: ledger.seen(row),
      mined: ledger.mined(row),
      meanLoss: ledger.meanLoss(row),
    })),
    msPerStep,
    tensors,
    strategy,
    why,
  };
}

/** Places of the largest losses, largest first; what is not a number comes last. */
function hardestPlaces(losses: Float32Array, count: number): number[] {
  const hardness = (place: number) => {
    const loss = losses[place] as number;
    return Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : loss;
  };
  return Array.from(losses.keys())
    .sort((a, b) => hardness(b) - hardness(a) || a - b)
    .slice(0, count);
}
