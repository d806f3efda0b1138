import {afterEach, beforeAll, describe, expect, it, vi} from 'vitest';
import '../../support/backends';
import {setBackend, train} from '@tensorflow/tfjs-core';
import {fitOhem, fitOhemDataset} from 'ohem-tfjs';
import {progressLine} from '../../../src/trainers/fit/callbacks';
import {tinyModel, tinyXs, tinyYs} from '../../support/tinyModel';

const options = () => ({loss: 'categoricalCrossentropy' as const, optimizer: train.sgd(0)});

/** What a training writes to a terminal, or to a file. */
async function written(isTTY: boolean, run: () => Promise<unknown>): Promise<string[]> {
  const before = process.stdout.isTTY;
  process.stdout.isTTY = isTTY;
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  try {
    await run();
    return write.mock.calls.map(([text]) => String(text)).filter((text) => text.includes('Epoch'));
  } finally {
    process.stdout.isTTY = before;
    write.mockRestore();
  }
}

beforeAll(async () => {
  await setBackend('cpu');
});
afterEach(() => vi.unstubAllGlobals());

describe('The progress of a training', () => {
  const training = (verbose?: 0 | 1) => () => {
    const shown = {epochs: 2, batchSize: 4, shuffle: false, ...(verbose !== undefined && {verbose})};
    return fitOhem(tinyModel(), tinyXs(), tinyYs(), {...options(), ...shown});
  };

  it('is written anew on a terminal after every batch', async () => {
    const lines = await written(true, training());
    const start = '\r\x1b[2KEpoch 1/2';
    expect(lines).toHaveLength(6);
    expect(lines[0]).toContain(`${start} [==========>         ] 1/2 loss `);
    expect(lines[1]).toContain(`${start} [====================] 2/2 loss `);
    expect(lines[2]?.startsWith(start)).toBe(true);
    expect(lines[2]).toMatch(/Epoch 1\/2 loss [\d.]+ batchLoss [\d.]+ kept 5\n$/);
    expect(lines[5]).toContain('Epoch 2/2 loss');
  });

  it('is one line for each epoch in a file', async () => {
    const lines = await written(false, training(1));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^Epoch 1\/2 loss [\d.]+ batchLoss [\d.]+ kept 5\n$/);
  });

  it('counts the batches if their number is unknown', async () => {
    const run = () => fitOhemDataset(tinyModel(), () => [{xs: tinyXs(), ys: tinyYs()}], options());
    expect((await written(true, run))[0]).toContain('Epoch 1/1 batch 1 loss');
  });

  it('is not shown where it is not wanted, and outside of Node', async () => {
    expect(await written(true, training(0))).toEqual([]);
    vi.stubGlobal('process', undefined);
    expect(progressLine(1, () => 2)).toBeUndefined();
    vi.stubGlobal('process', {stdout: {write: () => true}});
    expect(progressLine(1, () => 2)).toBeUndefined();
  });
});
