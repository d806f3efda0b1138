import {cost} from './cost';
import {epochs, epochsMails} from './epochs';
import {labels} from './labels';
import {noise} from './noise';
import {orderedLeNet} from './orderedLeNet';
import {orderedSgd} from './orderedSgd';
import {pairs} from './pairs';
import {reference} from './reference';
import {rules} from './rules';
import type {Study} from './study';

/** All studies, in the order of the document. */
export const studies: readonly Study[] = [
  ...[reference, orderedSgd, orderedLeNet, noise, cost],
  ...[rules, pairs, labels, epochs, epochsMails],
];
