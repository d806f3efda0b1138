import {describe, expect, it} from 'vitest';
import {lossTimeline} from '../../../../examples/mnist/report/lossTimeline';

const ROOMY = {slots: 60, bins: 25};

describe('lossTimeline', () => {
  it('gives the share of the rows in each bin, from the snapshot before to this one', () => {
    const histograms = [
      {step: 10, batch: [1, 3], selected: [0, 2]},
      {step: 30, batch: [4, 0], selected: [1, 1]},
    ];
    expect(lossTimeline(histograms, 'batch', ROOMY)).toEqual([
      {from: 0, to: 10, low: 0, high: 0.5, share: 0.25},
      {from: 0, to: 10, low: 0.5, high: 1, share: 0.75},
      {from: 10, to: 30, low: 0, high: 0.5, share: 1},
    ]);
    expect(lossTimeline(histograms, 'selected', ROOMY)[0]).toEqual({from: 0, to: 10, low: 0.5, high: 1, share: 1});
  });

  it('adds up snapshots where there are more than slots', () => {
    const histograms = [1, 2, 3].map((step) => ({step, batch: [step, 1], selected: [1, 0]}));
    expect(lossTimeline(histograms, 'batch', {slots: 2, bins: 25})).toEqual([
      {from: 0, to: 2, low: 0, high: 0.5, share: 0.6},
      {from: 0, to: 2, low: 0.5, high: 1, share: 0.4},
      {from: 2, to: 3, low: 0, high: 0.5, share: 0.75},
      {from: 2, to: 3, low: 0.5, high: 1, share: 0.25},
    ]);
  });

  it('adds up neighbouring bins where there are more than it may draw', () => {
    const histograms = [{step: 1, batch: [1, 1, 2, 2, 4], selected: []}];
    expect(lossTimeline(histograms, 'batch', {slots: 60, bins: 3})).toEqual([
      {from: 0, to: 1, low: 0, high: 0.4, share: 0.2},
      {from: 0, to: 1, low: 0.4, high: 0.8, share: 0.4},
      {from: 0, to: 1, low: 0.8, high: 1, share: 0.4},
    ]);
  });

  it('draws 3,000 snapshots in no more than 60 slots', () => {
    const histograms = Array.from({length: 3000}, (_, index) => ({step: index + 1, batch: [1], selected: [1]}));
    expect(lossTimeline(histograms, 'batch', ROOMY)).toHaveLength(60);
  });

  it('is empty without rows, without bins and without snapshots', () => {
    expect(lossTimeline([{step: 1, batch: [0, 0], selected: []}], 'batch', ROOMY)).toEqual([]);
    expect(lossTimeline([{step: 1, batch: [0, 0], selected: []}], 'selected', ROOMY)).toEqual([]);
    expect(lossTimeline([], 'batch', ROOMY)).toEqual([]);
  });

  it('gives a snapshot before the first step a cell of its own', () => {
    expect(lossTimeline([{step: 0, batch: [1], selected: [1]}], 'batch', ROOMY)).toEqual([
      {from: -1, to: 0, low: 0, high: 1, share: 1},
    ]);
  });
});
