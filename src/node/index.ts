/**
 * File-system checkpoints and threads, for Node.
 * @module node
 */

export type {SavingOptions} from '../trainers/checkpoint/savedTraining';
export type {TrainingState} from '../trainers/checkpoint/trainingState';
export {enableWasmThreads} from './enableWasmThreads';
export {resumeTraining} from './resumeTraining';
export {saveTraining} from './saveTraining';
