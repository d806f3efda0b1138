/** @file The numbers in the prose of the documents that come from the study of what hurts. */
import type {HurtsSummary} from '../../studies/hurts/summary';
import type {Estimate} from '../../studies/kit/statistics';
import type {Claim} from './claims';

type Rule = HurtsSummary['tasks'][number]['rules'][number];

/** A number of one rule. */
interface Place {
  task: string;
  rule: string;
  at: keyof Omit<Rule, 'name'>;
  measure: string;
}

function foundAt({tasks}: HurtsSummary, {task, rule, at, measure}: Place): Rule['end'][string] {
  const found = tasks.find((other) => other.task === task)?.rules.find(({name}) => name === rule);
  return found?.[at][measure] as Rule['end'][string];
}

const BOTH = ['docs/results.md', 'docs/faq.md'];
const RESULTS = 'hurts/results.json';
const [MINED, RANDOM] = ['topK({ratio: 0.5})', 'randomK({ratio: 0.5})'];

/** A claim of both documents on an error relative to that of all rows. */
const relative = (says: string, place: Place): Claim[] =>
  BOTH.map((document) => ({
    ...{document, says, results: RESULTS},
    due: (summary: HurtsSummary) => {
      const {mean, margin} = foundAt(summary, place).relative as Estimate;
      return `${(100 * Math.abs(mean)).toFixed(0)} ± ${(100 * margin).toFixed(0)} % ${mean < 0 ? 'below' : 'above'}`;
    },
  }));

const autoencoder = (task: string, measure: string): Place => ({task, rule: MINED, at: 'end', measure});
const steps = (rule: string): Place => ({task: 'sequences', rule: `${rule}, by step`, at: 'onTheWay', measure: 'loss'});

export const HURTS_CLAIMS: Claim[] = [
  ...relative('13 ± 7 % above', autoencoder('autoencoder', 'easyError')),
  ...relative('6 ± 2 % above', autoencoder('autoencoder, 20 % noisy rows', 'easyError')),
  ...relative('12 ± 4 % above', autoencoder('autoencoder, 50 % noisy rows', 'easyError')),
  ...relative('9 ± 4 % above', autoencoder('autoencoder, 50 % noisy rows', 'error')),
  ...relative('8 ± 3 % below', {task: 'few rows', rule: MINED, at: 'end', measure: 'loss'}),
  ...relative('95 ± 13 % above', steps(MINED)),
  ...relative('33 ± 8 % above', steps(RANDOM)),
  ...BOTH.map((document) => ({
    ...{document, says: '0.56 ± 0.32 points more errors', results: RESULTS},
    due: (summary: HurtsSummary) => {
      const place: Place = {task: 'few rows', rule: MINED, at: 'end', measure: 'bestError'};
      const {mean, margin} = foundAt(summary, place).toRandom as Estimate;
      return `${(100 * mean).toFixed(2)} ± ${(100 * margin).toFixed(2)} points more errors`;
    },
  })),
];
