/** @file The recipe for DISCO trains a federation, on a stand-in for the classes of DISCO. */
import * as tf from '@tensorflow/tfjs-core';
import * as data from '@tensorflow/tfjs-data';
import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';
import {categoricalCrossentropy, ohemLoss, ohemStep, topK} from 'ohem-tfjs';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {expectClose} from '../support/close';
import {averageWeights, client, type models} from '../support/disco';
import {commonScope, examplesInMarkdown, runExample} from '../support/docExamples';
import {readSource} from '../support/sources';

type Client = InstanceType<typeof client.federated.FederatedClient>;
type Model = InstanceType<typeof models.TFJS>;

const [ROUNDS, BATCHES, ROWS] = [3, 2, 8];

function compiled(loss: Parameters<LayersModel['compile']>[0]['loss'] = 'categoricalCrossentropy'): LayersModel {
  const kernelInitializer = initializers.glorotNormal({seed: 4});
  const model = sequential({
    layers: [layers.dense({units: 2, activation: 'softmax', inputShape: [3], kernelInitializer})],
  });
  model.compile({optimizer: tf.train.sgd(0.2), loss, metrics: ['accuracy']});
  return model;
}

function batchOf(index: number, at: number): {xs: tf.Tensor; ys: tf.Tensor} {
  const xs = tf.randomNormal([ROWS, 3], 0, 1, 'float32', 1 + 10 * index + at);
  const ys = tf.tidy(() => tf.cast(tf.oneHot(tf.cast(tf.greater(tf.sum(xs, 1), 0), 'int32'), 2), 'float32'));
  return {xs, ys};
}

const batchesOf = (index: number) => {
  function* each() {
    for (let at = 0; at < BATCHES; at++) yield batchOf(index, at);
  }
  return data.generator(each);
};

/** The client of the recipe, from the document itself. */
async function recipe(): Promise<typeof client.federated.FederatedClient> {
  const block = examplesInMarkdown(readSource('docs/scaling.md')).find(({code}) => code.includes('@epfml/discojs'));
  if (!block) throw new Error('docs/scaling.md must have the recipe for DISCO');
  const {OhemClient} = await runExample(block, commonScope());
  return OhemClient as typeof client.federated.FederatedClient;
}

const weightsOf = (model: LayersModel) => model.getWeights().flatMap((weight) => [...weight.dataSync()]);

/** Trains clients in rounds, each of which ends with the mean of their weights. */
async function federated(clients: readonly Client[]): Promise<Model[]> {
  const joined = await Promise.all(clients.map((each) => each.connect()));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, model] of joined.entries()) {
      const epoch = model.train(batchesOf(index), batchesOf(9));
      let next = await epoch.next();
      let seen = 0;
      for (; !next.done; next = await epoch.next()) {
        expect(next.value.loss).toBeGreaterThan(0);
        seen++;
      }
      expect(seen).toBe(BATCHES);
      expect(next.value.validation?.loss).toBeGreaterThan(0);
      expect(next.value.validation?.accuracy).toBeGreaterThanOrEqual(0);
    }
    averageWeights(joined);
  }
  return joined;
}

describeOnBackends('The recipe for DISCO', () => {
  it('trains each client by ohemStep, as a loop of our own does', async () => {
    const OhemClient = await recipe();
    const [one, other] = await federated([new OhemClient(compiled), new OhemClient(compiled)]);
    const own = [compiled(), compiled()];
    const steps = own.map((model) => ohemStep(model, {loss: categoricalCrossentropy(), select: topK({ratio: 0.25})}));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, step] of steps.entries()) {
        for (let at = 0; at < BATCHES; at++) {
          const {xs, ys} = batchOf(index, at);
          step(xs, ys).dispose();
        }
      }
      const means = tf.tidy(() => {
        const [first, second] = own.map((model) => model.getWeights()) as [tf.Tensor[], tf.Tensor[]];
        return first.map((weight, i) => tf.keep(tf.div(tf.add(weight, second[i] as tf.Tensor), 2)));
      });
      for (const model of own) model.setWeights(means);
    }
    const [want] = own as [LayersModel];
    for (const model of [one, other]) {
      expectClose(weightsOf((model as Model).extract()), weightsOf(want), {absolute: 1e-6, relative: 1e-6});
    }
  });

  it('ends at the weights of a model that is compiled with ohemLoss', async () => {
    const OhemClient = await recipe();
    const [mined] = await federated([new OhemClient(compiled), new OhemClient(compiled)]);
    const withLoss = () => compiled(ohemLoss(categoricalCrossentropy(), topK({ratio: 0.25})));
    const {FederatedClient} = client.federated;
    const [plain] = await federated([new FederatedClient(withLoss), new FederatedClient(withLoss)]);
    expectClose(weightsOf((mined as Model).extract()), weightsOf((plain as Model).extract()), {
      ...{absolute: 1e-5, relative: 1e-5},
    });
  });
});
