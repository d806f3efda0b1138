/**
 * Trainings on the disk, for Node.
 * @module node
 */

export type {SavingOptions} from '../trainers/checkpoint/savedTraining';
export type {TrainingState} from '../trainers/checkpoint/trainingState';
export {resumeTraining} from './resumeTraining';
export {saveTraining} from './saveTraining';
