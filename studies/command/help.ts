import type {Study} from '../kit/study';
import {DEFAULT_OUT} from './options';

export const helpFor = (studies: readonly Study[]): string => `\
Measures what mining buys, on MNIST, for several seeds.

  npm run study -- NAME

${studies.map((study) => `  ${study.name.padEnd(18)} ${study.about} (${sizeOf(study)})`).join('\n')}

Give the same command again after Ctrl-C, a crash or a power cut: it resumes after the last whole seed,
or the last whole part of a seed of hours.

  --data DIR   folder with the four IDX files of MNIST, gzipped or not (default: the cache, else a download)
  --out DIR    where the folder NAME with results and figures is written (default ${DEFAULT_OUT})
  --seeds N    seeds 1 … N
  --steps N    steps of each run; epochs in ordered-sgd, ordered-sgd-lenet, noise,
               noise-rules, epochs and epochs-mails
  --threads N  run wasm on N threads, 8 at most (default 1); results agree up to rounding
  --help
`;

const sizeOf = ({isRedrawn, seeds, steps}: Study) =>
  isRedrawn ? 'draws committed results' : `${seeds} seeds, ${steps} steps or epochs`;
