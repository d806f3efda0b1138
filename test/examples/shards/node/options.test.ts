import {describe, expect, it} from 'vitest';
import {UsageError} from '../../../../examples/mnist/node/errors';
import {readOptions} from '../../../../examples/shards/node/options';
import {DEFAULTS} from '../../../../examples/shards/training/settings';

describe('The options of npm run shards', () => {
  it('have defaults', () => {
    expect(readOptions([])).toEqual({
      ...{help: false, mode: 'both', shards: [2], settings: DEFAULTS, checkpoints: undefined, resume: false},
      json: undefined,
    });
  });

  it('are read', () => {
    const argv = '--mode threads --shards 3 --k 5 --lr 0.5 --data dir --checkpoints out --save-every 7 --resume';
    expect(readOptions(argv.split(' '))).toMatchObject({
      ...{mode: 'threads', shards: [3], resume: true, checkpoints: {folder: 'out', every: 7}},
      settings: {k: 5, learningRate: 0.5, data: 'dir'},
    });
    expect(readOptions(['--shards', '2,4', '--json', 'x']).shards).toEqual([2, 4]);
  });

  it.each([
    ['--mode remote', '--mode must be one of threads, network, both, got remote.'],
    ['--shards 0', '--shards must be an integer >= 1, got 0.'],
    ['--k 600', '--k must be <= 512, the rows of all shards, got 600.'],
    ['--shards 513', '--shards must be <= 512, the rows of a batch, got 513.'],
    ['--lr 0', '--lr must be a number > 0, got 0.'],
    ['--checkpoints d', '--checkpoints must be of one run, --mode threads or network and one number of shards, got d.'],
    ['--resume', '--resume must go with --checkpoints, got none.'],
    ['--nonsense', "Unknown option '--nonsense'"],
  ])('refuse %s', (argv, message) => {
    expect(() => readOptions(argv.split(' '))).toThrow(UsageError);
    expect(() => readOptions(argv.split(' '))).toThrow(message);
  });
});
