/**
 * @file The table of docs/results.md that sets mined steps beside the kernels and products in them.
 */
import type {Timing} from '../../bench/interleaved';
import type {SmallTiming} from '../../bench/small';
import {readSource} from './sources';

const resultsOf = <Results>(file: string): Results => JSON.parse(readSource(`docs/results/${file}`).text) as Results;

/** A mined step and its products, on wasm, each by the time of the plain step over all rows. */
export function floorsOfSteps(): string[][] {
  const {small} = resultsOf<{small: SmallTiming[]}>('bench-small.json');
  const {subjects} = resultsOf<{subjects: {name: string; timings: Timing[]}[]}>('bench.json');
  return [
    ['model', 'rows kept', 'mined step', 'its kernels', 'its products alone'],
    ...small
      .filter(({backend, strategy}) => backend === 'wasm' && strategy === 'pruned')
      .map(({name, stockMs, minedMs, kernelMs, productMs}) => [
        ...[name, 'half'],
        ...byPlain(stockMs, minedMs, kernelMs.mined, productMs.mined),
      ]),
    ...subjects.flatMap(({name, timings}) => largeSteps(name.replace(/^.*: |, .*$/g, ''), timings)),
  ];
}

/** The pruned steps of a model of dense layers, whose products were timed alone. */
function largeSteps(model: string, timings: readonly Timing[]): string[][] {
  const timeOf = (wanted: string) => timings.find(({name}) => name === wanted)?.ms as number;
  return timings.flatMap(({name, ms}) => {
    const [, n, k] = /^(\d+)\/(\d+) floor$/.exec(name) ?? [];
    if (!n || n === k) return [];
    const [mined, products] = byPlain(timeOf(`stock ${n}`), timeOf(`${n}/${k} pruned`), ms) as [string, string];
    return [[model, `${k} of ${n}`, mined, '–', products]];
  });
}

const byPlain = (plain: number, ...ms: number[]) => ms.map((each) => (each / plain).toFixed(2));
