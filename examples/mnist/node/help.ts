import {DEFAULTS} from '../experiment/defaults';
import {DEFAULT_RUNS} from '../experiment/runs';
import {DEFAULT_OUT, DEFAULT_SAVE_EVERY} from './defaults';

export const HELP = `\
Trains a small network on MNIST with and without online hard example mining, and draws what happened.

  npm run mnist                             all runs; some minutes on two cores
  npm run mnist -- --data DIR               the same, with MNIST files of your own
  npm run mnist -- --resume ${DEFAULT_OUT}   resume after Ctrl-C, a crash or a power cut

Every run has the same first weights and reads the same digits in the same order. At the end there are a table,
results.json, and report.html with two figures, which lie beside it as SVG and PNG.

What is trained
  --runs LIST         runs n/k, with commas: backpropagate the k hardest of n digits; n/k-random: any k of them
                      (default ${DEFAULT_RUNS})
  --steps N           steps of each run (default ${DEFAULTS.steps})
  --lr RATE           learning rate (default ${DEFAULTS.learningRate})
  --seed N            of the first weights, the order of the digits and the random runs (default ${DEFAULTS.seed})
  --backend NAME      wasm, or cpu, which is some fifty times slower (default ${DEFAULTS.backend})
  --threads N         run wasm on N threads, 8 at most (default 1); curves agree up to rounding

  The original's own setting: --steps 30000 --lr 1e-4

What it is trained on
  --data DIR          folder with the four IDX files of MNIST, gzipped or not (default: the cache, else a download,
                      else digits that the example draws itself)
  --any-digits        with --data: take files that are not MNIST's, 28 × 28 and ten classes
  --digits N          draw N digits to train on and a sixth as many to test on, and look for no others

Where it goes
  --out DIR           folder of the results (default ${DEFAULT_OUT}; ${DEFAULT_OUT}-2 and so on if it holds a
                      finished experiment)
  --save-every S      seconds between two checkpoints (default ${DEFAULT_SAVE_EVERY})
  --resume DIR        resume from the checkpoint in that folder, with its settings; if it is finished, only the
                      report is written again. Ends with the same curves as if it had never stopped
  --fresh             start anew although --out holds an experiment, which is lost
  --help              this text
`;
