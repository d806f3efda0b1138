import type {Digits} from '../../examples/mnist/data/digits';
import type {Study, StudySettings} from '../kit/study';
import {compareFinders, FINDER_PROTOCOL, SHARES} from './labelFinders';
import type {LabelsRecord} from './record';
import {labelsReport} from './report';
import {compareTeaching, TEACHING_PROTOCOL} from './teaching';

/** How many digits are trained on, and tested on: the first ones. */
const DIGITS = 10_000;

const first = ({count, ...digits}: Digits): Digits => ({...digits, count: Math.min(count, DIGITS)});

/** Epochs of the runs that find wrong labels, as a share of those that are taught with them. */
const FINDER_EPOCHS = 0.5;

interface LabelsSettings extends StudySettings {
  flipped: readonly number[];
  finderEpochs: number;
  teaching: {rampShare: number};
}

/** Ways to find wrong labels, and to train in spite of them. */
export const labels: Study<LabelsRecord> = {
  name: 'labels',
  about: 'finding 2 and 10 % wrong labels, and co-teaching with half of them wrong',
  seeds: 3,
  steps: 20,
  settings: (steps) => ({
    ...{steps, digits: DIGITS, flipped: SHARES, finders: FINDER_PROTOCOL, teaching: TEACHING_PROTOCOL},
    finderEpochs: Math.ceil(FINDER_EPOCHS * steps),
  }),
  async *train(seed, {train, test}, settings) {
    const {steps, flipped, finderEpochs, teaching: protocol} = settings as LabelsSettings;
    const digits = {train: first(train), test: first(test)};
    const [finding, teaching] = [
      compareFinders(digits, {seed, epochs: finderEpochs, shares: flipped}),
      compareTeaching(digits, {seed, epochs: steps, rampShare: protocol.rampShare}),
    ];
    let found = await finding.next();
    for (; !found.done; found = await finding.next()) yield found.value / 2;
    let taught = await teaching.next();
    for (; !taught.done; taught = await teaching.next()) yield (1 + taught.value) / 2;
    return {...found.value, teaching: taught.value};
  },
  report: labelsReport,
};
