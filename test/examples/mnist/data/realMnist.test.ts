import {expect, it} from 'vitest';
import {loadDigits} from '../../../../examples/mnist/data/load';
import {describeWithMnist} from '../../../support/mnist';

describeWithMnist('MNIST itself', (folder) => {
  it('has 60,000 digits to train on and 10,000 to test', async () => {
    const {train, test, source, description} = await loadDigits({folder});
    expect({source, description}).toEqual({source: 'folder', description: `MNIST from ${folder}`});
    expect([train.count, train.images.length, train.labels.length]).toEqual([60_000, 47_040_000, 60_000]);
    expect([test.count, test.images.length, test.labels.length]).toEqual([10_000, 7_840_000, 10_000]);
    expect(Array.from(train.labels.subarray(0, 5))).toEqual([5, 0, 4, 1, 9]);
    expect(Array.from(test.labels.subarray(0, 5))).toEqual([7, 2, 1, 0, 4]);
  });
});
