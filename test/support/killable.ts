/**
 * @file A process that trains, saves every second step, and can be killed:
 *   `killable.ts <folder> <file for the final weights>`.
 */
import '@tensorflow/tfjs-backend-cpu';
import {writeFileSync} from 'node:fs';
import {enableProdMode, setBackend} from '@tensorflow/tfjs-core';
import {fitOhem, type TrainingState} from 'ohem-tfjs';
import {resumeTraining, saveTraining} from 'ohem-tfjs/node';
import {RESUMABLE, resumableData, resumableModel} from './resumable';
import {weightValues} from './tinyModel';

const [folder, result] = process.argv.slice(2) as [string, string];
enableProdMode();
await setBackend('cpu');
const model = resumableModel();
const {xs, ys} = resumableData();
await fitOhem(model, xs, ys, {
  ...RESUMABLE(),
  epochs: 40,
  restoreBestWeights: true,
  validationSplit: 0.2,
  initialState: await resumeTraining(folder, model),
  checkpoint: (state: TrainingState) => saveTraining(folder, model, state),
  checkpointEvery: 2,
  callbacks: {onBatchEnd: () => void process.stdout.write('.')},
});
writeFileSync(result, JSON.stringify(weightValues(model)));
