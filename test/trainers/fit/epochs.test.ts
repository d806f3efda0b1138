import {afterEach, beforeEach, describe, expect, it, type MockInstance, vi} from 'vitest';
import {monitored} from '../../../src/trainers/fit/epochs';

describe('The log that decides which epoch is best', () => {
  let warn: MockInstance;
  beforeEach(() => {
    warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => warn.mockRestore());

  const signOf = (name: string) => monitored('fitOhem', name, [name])?.sign;

  it.each([
    ...['acc', 'val_acc', 'val_first_acc_0', 'binaryAccuracy', 'val_precision', 'recall', 'val_recallAtK', 'auc'],
    ...['precisionAt1', 'meanAveragePrecisionAtR', 'val_f1', 'f1Score', 'top_k', 'topK', 'val_miou', 'r2Score'],
    ...['loss_accuracy', 'myaccuracy'],
  ])('is better if %s is larger', (name) => {
    expect(signOf(name)).toBe(-1);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    ...['loss', 'val_loss', 'batchLoss', 'mse', 'val_MAE', 'mape', 'ce', 'cosine', 'val_cosineProximity', 'topKError'],
    ...['meanSquaredError', 'categoricalCrossentropy', 'precision_loss', 'accuracy_head_loss', 'val_distance'],
  ])('is better if %s is smaller', (name) => {
    expect(signOf(name)).toBe(1);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each(['kept', 'variance', 'val_t', 'place'])('is better if %s is smaller, with a warning', (name) => {
    expect(signOf(name)).toBe(1);
    expect(warn.mock.calls).toEqual([
      [expect.stringContaining(`takes the epoch with the smallest ${name} as the best`)],
    ]);
  });

  it('is val_loss, or loss without validation data', () => {
    expect(monitored('fitOhem', true, ['loss', 'val_loss'])).toEqual({name: 'val_loss', sign: 1});
    expect(monitored('fitOhem', true, ['loss'])).toEqual({name: 'loss', sign: 1});
    expect(monitored('fitOhem', false, ['loss'])).toBeUndefined();
  });
});
