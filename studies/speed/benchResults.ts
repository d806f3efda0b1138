import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import type {SpeedRecord} from './record';

const FOLDER = fileURLToPath(new URL('../../docs/results/', import.meta.url));

interface Timing {
  name: string;
  ms: number;
}

/** What is read of `bench.json`, `bench-small.json` and `bench-threads.json`. */
interface Bench {
  subjects: {name: string; timings: Timing[]}[];
}
interface SmallBench {
  small: {name: string; backend: string; stockMs: number; minedMs: number}[];
}
interface ThreadsBench {
  threads: number;
  timings: Timing[];
}

/** The large models, by the first word of their name in the benchmark. */
const LARGE: Record<string, string> = {
  dense: '784-1024-10',
  deep: '784-1024-1024-1024-10',
  residual: 'three residual blocks of 512',
  cnn: 'CNN 32-32',
};

/** Sizes of the large models that are shown: batch, and how many of it are kept. */
const SIZES: [n: number, k: number][] = [
  [1024, 512],
  [512, 384],
  [64, 32],
  [64, 48],
];

const read = async <Results>(name: string): Promise<Results> =>
  JSON.parse(await readFile(`${FOLDER}${name}`, 'utf8')) as Results;

/** Reads the committed times of mined steps that have a plain one beside them. */
export async function benchResults(): Promise<SpeedRecord[]> {
  const [bench, small, threads] = await Promise.all([
    read<Bench>('bench.json'),
    read<SmallBench>('bench-small.json'),
    read<ThreadsBench>('bench-threads.json'),
  ]);
  return [
    ...small.small.map(
      ({name, backend, stockMs, minedMs}): SpeedRecord => ({
        ...{model: name, backend: backend === 'cpu' ? 'cpu' : 'wasm', threads: 1},
        ...{kept: 1 / 2, plainMs: stockMs, minedMs},
      }),
    ),
    ...bench.subjects.flatMap(({name, timings}) => largeRecords(firstWord(name), timings, 1)),
    ...Object.keys(LARGE).flatMap((word) => {
      const own = threads.timings.filter(({name}) => firstWord(name) === word);
      const timings = own.map(({name, ms}) => ({name: name.slice(word.length + 2), ms}));
      return largeRecords(word, timings, threads.threads);
    }),
  ];
}

const firstWord = (name: string) => name.split(':')[0] as string;

/** The sizes of a large model that were timed, mined and plain. */
function largeRecords(word: string, timings: Timing[], threads: number): SpeedRecord[] {
  const timeOf = (wanted: string) => timings.find(({name}) => name === wanted)?.ms;
  return SIZES.flatMap(([n, k]): SpeedRecord[] => {
    const [plainMs, minedMs] = [timeOf(`stock ${n}`), timeOf(`${n}/${k} pruned`)];
    if (plainMs === undefined || minedMs === undefined) return [];
    const allMs = timeOf(`${n}/${n} pruned`);
    const model = `${LARGE[word]}, batch of ${n.toLocaleString('en-US')}`;
    return [{model, backend: 'wasm', threads, kept: k / n, plainMs, minedMs, ...(allMs !== undefined && {allMs})}];
  });
}
