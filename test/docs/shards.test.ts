/** @file The loop over shards of the guide skips what one process skips, and leaks nothing. */
import * as tf from '@tensorflow/tfjs-core';
import type {LayersModel} from '@tensorflow/tfjs-layers';
import {expect, it} from 'vitest';
import {describeOnBackends} from '../support/backends';
import {commonScope, examplesInMarkdown, runExample} from '../support/docExamples';
import {readSource} from '../support/sources';

const DRAWN = "tf.randomNormal([8, 3], 0, 1, 'float32', 1 + at * shards + shard)";

/** The loop of the document; its shards see no finite row from step `end` on. */
async function loop(end: number) {
  const block = examplesInMarkdown(readSource('docs/scaling.md')).find(({code}) => code.includes(DRAWN));
  if (!block) throw new Error('docs/scaling.md must have the loop over shards');
  const code = block.code.replace(DRAWN, `(at < ${end} ? ${DRAWN} : tf.fill([8, 3], Number.NaN))`);
  const {trainShard, build} = await runExample({...block, code}, commonScope());
  return async (steps: number) => {
    const models = [0, 1].map(() => (build as () => LayersModel)());
    const before = tf.memory().numTensors;
    const train = trainShard as (model: LayersModel, shard: number, steps: number) => Promise<void>;
    await Promise.all(models.map((model, shard) => train(model, shard, steps)));
    const left = tf.memory().numTensors - before;
    return {left, weights: models.map((model) => model.getWeights().map((weight) => [...weight.dataSync()]))};
  };
}

describeOnBackends('The loop over shards of the guide', () => {
  it('takes no step if no row of any shard is usable, also with momentum', async () => {
    const train = await loop(2);
    const {weights} = await train(4);
    expect(weights[0]).toEqual(weights[1]);
    expect(weights).toEqual((await train(2)).weights);
    expect(weights).not.toEqual((await train(1)).weights);
  });

  it('leaves no more tensors after many steps than after one', async () => {
    const train = await loop(99);
    const {left} = await train(1);
    expect((await train(5)).left).toBe(left);
  });
});
