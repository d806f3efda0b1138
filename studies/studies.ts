import {orderedSgd} from './orderedSgd';
import {reference} from './reference';
import type {Study} from './study';

/** All studies, in the order of the document. */
export const studies: readonly Study[] = [reference, orderedSgd];
