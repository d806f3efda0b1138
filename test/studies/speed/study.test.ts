/** @file The committed figure of the times of steps is that of the committed times. */
import {readFileSync} from 'node:fs';
import {expect, it} from 'vitest';
import {NO_DIGITS} from '../../../studies/command/redraw';
import {benchResults} from '../../../studies/speed/benchResults';
import type {SpeedSummary} from '../../../studies/speed/report';
import {speed} from '../../../studies/speed/study';
import {ROOT} from '../../support/sources';

const committed = (name: string) => JSON.parse(readFileSync(`${ROOT}docs/results/${name}`, 'utf8'));

it('docs/results/speed has the steps of the benchmarks: npm run study -- speed --out docs/results draws it', async () => {
  const reading = speed.train(1, NO_DIGITS, speed.settings(1));
  let next = await reading.next();
  while (!next.done) next = await reading.next();
  const {steps} = speed.report([next.value], speed.settings(1)).summary as SpeedSummary;
  const drawn: SpeedSummary['steps'] = committed('speed/results.json').steps;
  expect(drawn.map(({model, backend, threads, kept}) => ({model, backend, threads, kept}))).toEqual(
    steps.map(({model, backend, threads, kept}) => ({model, backend, threads, kept})),
  );
  for (const [place, {ratio, plainMs}] of drawn.entries()) {
    expect(ratio).toBeCloseTo(steps[place]?.ratio as number, 4);
    expect(plainMs).toBeCloseTo(steps[place]?.plainMs as number, 2);
  }
});

it('It has every small model, and the large ones with half and three quarters of their rows', async () => {
  const records = await benchResults();
  const {small} = committed('bench-small.json');
  for (const {name, backend} of small) {
    expect(records.filter((record) => record.model === name && record.backend === backend)).toHaveLength(1);
  }
  const large = records.filter(({model}) => model.includes('batch of'));
  expect(large.filter(({threads}) => threads === 1).map(({kept}) => kept)).toEqual([
    ...[0.5, 0.75, 0.5, 0.75, 0.5, 0.75, 0.5, 0.75],
  ]);
  expect(large.filter(({threads}) => threads === 2).map(({model}) => model)).toEqual([
    ...['784-1024-10, batch of 512', 'CNN 32-32, batch of 64'],
  ]);
});
