/**
 * @file A stand-in for what the recipe for DISCO in docs/scaling.md uses of `@epfml/discojs`: the
 *   public interface of
 * its model class and of its federated client, written from what they are documented to do. DISCO
 * itself is not on npm.
 */
import {add, dispose, div, memory, type Tensor, tidy} from '@tensorflow/tfjs-core';
import type {Dataset} from '@tensorflow/tfjs-data';
import type {LayersModel} from '@tensorflow/tfjs-layers';

interface BatchLogs {
  accuracy: number;
  loss: number;
  memoryUsage: number;
}

type Batches = Dataset<{xs: Tensor; ys: Tensor}>;

class EpochLogs {
  constructor(
    readonly batches: Iterable<BatchLogs>,
    readonly validation?: {loss: number; accuracy: number},
  ) {}
}

/** A compiled model of tfjs-layers, which is trained an epoch at a time. */
class TFJS {
  constructor(private readonly model: LayersModel) {
    if (model.loss === undefined) throw new Error('the model must be compiled');
  }

  /** The numbers that clients send and receive. */
  get weights(): Tensor[] {
    return this.model.weights.map((weight) => weight.read());
  }

  set weights(values: Tensor[]) {
    this.model.setWeights(values);
  }

  extract(): LayersModel {
    return this.model;
  }

  /**
   * Trains on all rows of each batch; yields the logs of a batch, and returns those of the epoch.
   */
  async *train(training: Batches, validation: Batches): AsyncGenerator<BatchLogs, EpochLogs> {
    const logs: BatchLogs[] = [];
    const batches = await training.iterator();
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      const {xs, ys} = next.value;
      const [loss, accuracy] = (await this.model.trainOnBatch(xs, ys)) as [number, number];
      dispose([xs, ys]);
      logs.push({loss, accuracy, memoryUsage: memory().numBytes / 2 ** 30});
      yield logs.at(-1) as BatchLogs;
    }
    const figures = (await this.model.evaluateDataset(validation as never, {})) as Tensor[];
    const [loss = Number.NaN, accuracy = Number.NaN] = figures.map((figure) => figure.dataSync()[0]);
    dispose(figures);
    return new EpochLogs(logs, {loss, accuracy});
  }
}

/** A client of a federation: `connect` brings the model of the task. */
class FederatedClient {
  constructor(
    private readonly fetched: () => LayersModel,
    _task?: unknown,
    _aggregator?: unknown,
  ) {}

  async connect(): Promise<TFJS> {
    return new TFJS(this.fetched());
  }
}

/** Replaces the weights of all models by their mean, as a server does after each round. */
export function averageWeights(models: readonly TFJS[]): void {
  tidy(() => {
    const lists = models.map(({weights}) => weights);
    const means = (lists[0] ?? []).map((_, i) =>
      div(
        lists.map((list) => list[i] as Tensor).reduce((one, other) => add(one, other)),
        models.length,
      ),
    );
    for (const model of models) model.weights = means;
  });
}

export const models = {TFJS, EpochLogs};
export const client = {federated: {FederatedClient}};
