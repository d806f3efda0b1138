import {
  grad,
  keep,
  matMul,
  randomNormal,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tidy,
  transpose,
} from '@tensorflow/tfjs-core';
import {
  batchHard,
  type Miner,
  multiSimilarity,
  multiSimilarityLoss,
  semiHard,
  supervisedContrastive,
  tripletLoss,
  tripletMargin,
} from 'ohem-tfjs/pairs';
import type {Contestant} from './interleaved';

const WIDTH = 128;
const BATCH_SIZE = 512;

/** Losses of pairs with their gradients, beside the two products of matrices `B × B × D` that distances and gradients take. */
export function pairContestants(): Contestant[] {
  const {embeddings, labels} = batchOf(BATCH_SIZE, 4);
  const slopes: Tensor2D = keep(randomNormal([BATCH_SIZE, BATCH_SIZE]));
  const transposed: Tensor2D = keep(tidy(() => transpose(embeddings)));
  const triplets = (mine: Miner) => tripletLoss({mine});
  const losses = {
    batchHard: triplets(batchHard()),
    semiHard: triplets(semiHard()),
    tripletMargin: triplets(tripletMargin()),
    multiSimilarity: multiSimilarityLoss({mine: multiSimilarity()}),
    supervisedContrastive: supervisedContrastive(),
  };
  return [
    {
      name: 'two products',
      run: () =>
        tidy(() => {
          matMul(embeddings, transposed);
          matMul(slopes, embeddings);
        }),
    },
    ...Object.entries(losses).map(([name, loss]) => ({
      name,
      run: () => tidy(() => void grad((x: Tensor) => sum(loss(labels, x)))(embeddings)),
    })),
  ];
}

/** All triplets of 256 rows of two classes, half of which are positives of each anchor: as many as there can be. */
export function allTriplets(): Contestant {
  const {embeddings, labels} = batchOf(256, 128);
  const loss = tripletLoss({mine: tripletMargin({margin: 9}), margin: 9});
  return {
    name: 'all triplets of 256 rows',
    run: () => tidy(() => void grad((x: Tensor) => sum(loss(labels, x)))(embeddings)),
  };
}

function batchOf(size: number, perClass: number) {
  const labels = Int32Array.from({length: size}, (_, row) => Math.floor(row / perClass));
  return {embeddings: keep(randomNormal([size, WIDTH])) as Tensor2D, labels: keep(tensor1d(labels, 'int32'))};
}
