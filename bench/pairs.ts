import {
  add,
  gather,
  grad,
  keep,
  matMul,
  randomNormal,
  sum,
  type Tensor,
  type Tensor2D,
  tensor1d,
  tidy,
  train,
  transpose,
} from '@tensorflow/tfjs-core';
import {initializers, layers, sequential} from '@tensorflow/tfjs-layers';
import {all, ohemStep} from 'ohem-tfjs';
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

/**
 * Losses of pairs with their gradients, beside the two products of matrices `B × B × D` that
 * distances and gradients take.
 */
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

/**
 * All triplets of 256 rows of two classes, half of which are positives of each anchor: as many as
 * there can be.
 */
export function allTriplets(): Contestant {
  const {embeddings, labels} = batchOf(256, 128);
  const loss = tripletLoss({mine: tripletMargin({margin: 9}), margin: 9});
  return {
    name: 'all triplets of 256 rows',
    run: () => tidy(() => void grad((x: Tensor) => sum(loss(labels, x)))(embeddings)),
  };
}

/**
 * Steps over a network 784-1024-128, mined by triplets of which few violate their margin, as late
 * in a training run: with all rows, and with those that have a gradient.
 */
export function pairSteps(): Contestant[] {
  const {x, labels} = classesWithStrays();
  const miners = {'semi-hard': semiHard(), 'batch-hard': batchHard()};
  return Object.entries(miners).flatMap(([name, mine]) =>
    (['masked', 'auto'] as const).map((backward) => {
      // Weights that stay as they are: each run is of the same step.
      const optimizer = train.sgd(1e-30);
      const step = ohemStep(network(), {loss: tripletLoss({mine}), select: all(), optimizer, backward});
      step(x, labels).dispose();
      return {
        name: `${name}, ${backward === 'masked' ? 'all rows' : (step.why.split(' (')[0] as string)}`,
        run: () => step(x, labels).dispose(),
      };
    }),
  );
}

/** Embeds classes far apart: what is near in the inputs is near in a random projection. */
function network() {
  const kernelInitializer = initializers.glorotUniform({seed: 1});
  return sequential({
    layers: [
      layers.dense({units: 1024, activation: 'relu', inputShape: [784], kernelInitializer}),
      layers.dense({units: WIDTH, kernelInitializer}),
    ],
  });
}

/** Classes of eight rows each, with a row in a hundred that lies in another class. */
function classesWithStrays() {
  const places = Int32Array.from({length: BATCH_SIZE}, (_, row) => row % 64);
  const labels = places.map((place, row) => (row % 100 === 0 ? (place + 1) % 64 : place));
  return {
    x: keep(
      tidy(() => {
        const centers = randomNormal([64, 784], 0, 1, 'float32', 1);
        const rows = gather(centers, tensor1d(places, 'int32'));
        return add(rows, randomNormal([BATCH_SIZE, 784], 0, 0.05, 'float32', 2));
      }),
    ),
    labels: keep(tensor1d(labels, 'int32')),
  };
}

function batchOf(size: number, perClass: number) {
  const labels = Int32Array.from({length: size}, (_, row) => Math.floor(row / perClass));
  return {embeddings: keep(randomNormal([size, WIDTH])) as Tensor2D, labels: keep(tensor1d(labels, 'int32'))};
}
