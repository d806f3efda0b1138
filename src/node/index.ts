/**
 * Trainings on the disk, for Node.
 * @module node
 */
export type {TrainingState} from '../trainers/fit/trainingState';
export type {SavingOptions} from '../trainers/savedTraining';
export {resumeTraining} from './resumeTraining';
export {saveTraining} from './saveTraining';
