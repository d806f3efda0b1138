import {fork} from 'node:child_process';
import {median} from './interleaved';
import type {FitPairs} from './smallFit';
import {SMALL_MODELS} from './smallModels';

/** Epochs of one small model, by `fitOhem`, by a loop of `ohemStep` and by `fit` of tfjs. */
interface FitTiming {
  name: string;
  steps: number;
  /** Pairs of timings with the loop. */
  pairs: number;
  /** Median milliseconds of the processor for a step: other programs have little part in them. */
  loopMs: number;
  fitMs: number;
  plainMs: number;
  /** Median over the pairs of what `fitOhem` took of the loop beside it. */
  ratio: number;
  /** Median over the pairs of what `fitOhem` took of `fit` beside it. */
  toPlain: number;
}

/**
 * Processes for each model: where its tensors lie changes a product of matrices by a quarter, and
 * some of them, as the weights, stay there as long as the process lives.
 */
const PROCESSES = 3;

/** Times each small model in processes of its own, where no heap of another one is collected. */
export async function timeFits(rounds: number): Promise<FitTiming[]> {
  const measured = SMALL_MODELS.map(({name}): FitPairs & {name: string} => {
    return {name, steps: 0, besideLoop: [], besidePlain: []};
  });
  for (let turn = 0; turn < PROCESSES; turn++) {
    for (const model of measured) {
      const {steps, besideLoop, besidePlain} = await inProcess(model.name, rounds);
      model.steps = steps;
      model.besideLoop.push(...besideLoop);
      model.besidePlain.push(...besidePlain);
    }
  }
  return measured.map(({name, steps, besideLoop, besidePlain}) => ({
    ...{name, steps, pairs: besideLoop.length},
    loopMs: median(besideLoop.map(({other}) => other)),
    fitMs: median([...besideLoop, ...besidePlain].map(({fit}) => fit)),
    plainMs: median(besidePlain.map(({other}) => other)),
    ratio: median(besideLoop.map(({fit, other}) => fit / other)),
    toPlain: median(besidePlain.map(({fit, other}) => fit / other)),
  }));
}

function inProcess(name: string, rounds: number): Promise<FitPairs> {
  const child = fork(new URL('./smallFit.ts', import.meta.url), [name, String(rounds)]);
  return new Promise((resolve, reject) => {
    child.once('message', (pairs) => resolve(pairs as FitPairs));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`timeFits: the process of ${name} ended with ${code}.`)));
  });
}

export function printFits(timings: readonly FitTiming[]): void {
  console.log(
    '\nSmall models on wasm: fitOhem beside a loop of ohemStep that takes rows, steps and reads, and beside fit',
  );
  console.table(
    timings.map(({name, steps, pairs, loopMs, fitMs, plainMs, ratio, toPlain}) => ({
      ...{
        model: name,
        steps,
        pairs,
        'loop, CPU ms': Number(loopMs.toFixed(3)),
        'fitOhem, CPU ms': Number(fitMs.toFixed(3)),
        'fit, CPU ms': Number(plainMs.toFixed(3)),
      },
      'fitOhem ÷ loop': Number(ratio.toFixed(3)),
      'fitOhem ÷ fit': Number(toPlain.toFixed(3)),
    })),
  );
}
