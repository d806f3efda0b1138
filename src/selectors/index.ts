/**
 * Mining rules: which rows of a batch are backpropagated.
 * @module selectors
 */
export type {Keep, Selection, SelectionContext, Selector} from '../types';
export {all} from './all';
export {type RandomKOptions, randomK} from './randomK';
export {topK} from './topK';
