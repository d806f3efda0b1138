import {cost} from './cost/study';
import {detection} from './detection/study';
import {epochs, epochsMails} from './epochs/study';
import {hurts} from './hurts/study';
import type {Study} from './kit/study';
import {labels} from './labels/study';
import {noise, noiseRules} from './noise/study';
import {orderedLeNet} from './ordered/orderedLeNet';
import {orderedSgd} from './ordered/orderedSgd';
import {pairs} from './pairs/study';
import {reference} from './reference/study';
import {rules} from './rules/study';
import {segmentation} from './segmentation/study';
import {speed} from './speed/study';
import {tuned} from './tuned/study';

/** All studies, in the order of the document. */
export const studies: readonly Study[] = [
  ...[reference, orderedSgd, orderedLeNet, noise, noiseRules, cost],
  ...[rules, pairs, labels, epochs, epochsMails, hurts],
  ...[detection, segmentation, tuned, speed],
];
