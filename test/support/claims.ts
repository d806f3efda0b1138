/**
 * @file Every measured number in the prose of the documents, and the results that it comes from.
 */
import type {SmallTiming} from '../../bench/small';
import {HURTS_CLAIMS} from './hurtsClaims';

/**
 * A sentence with a measured number, as the document has it on one line, and how it follows from
 * results.
 */
export interface Claim {
  document: string;
  says: string;
  /** In docs/results. */
  results: string;
  /** What the document has to say. */
  due: (results: never) => string;
}

interface Timing {
  name: string;
  ms: number;
}

interface Bench {
  subjects: {name: string; timings: Timing[]; onStockKernels: Timing[]}[];
}

const timeOf = (timings: Timing[], name: string) => timings.find((timing) => timing.name === name)?.ms ?? Number.NaN;

/**
 * How many times as fast a step of the reference model is on the kernels of this library as
 * `trainOnBatch` on stock ones.
 */
const stockTimes = ({subjects}: Bench, than: string) => {
  const onStock = subjects.find(({name}) => name.startsWith('dense'))?.onStockKernels ?? [];
  return (timeOf(onStock, 'stock kernels') / timeOf(onStock, than)).toFixed(0);
};

/** A training step of the convolutional network, in forward passes. */
const convolutionalStep = ({subjects}: Bench) => {
  const timings = subjects.find(({name}) => name.startsWith('cnn'))?.timings ?? [];
  const ratio = timeOf(timings, '64/64 masked') / timeOf(timings, 'forward 64');
  return ['no', 'one', 'two', 'three', 'four', 'five', 'six']
    .slice(Math.floor(ratio), Math.ceil(ratio) + 1)
    .join(' to ');
};

interface ShardTraffic {
  runs: {how: string; shards: number; perStep: {sent: number; received: number}}[];
}

interface Ledger {
  ledger: Timing[];
}

interface Samplers {
  samplers: {ms: number; trainerMs: number}[];
}

/** From the fastest to the slowest. */
const milliseconds = (times: number[]) => `${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms`;

interface Epochs {
  results: {rule: string; flipped: number; toFull: Range; forward: Range; seconds: Range}[];
  compared: {rule: string; than: string; flipped: number; difference: Range}[];
}

interface Range {
  mean: number;
  margin: number;
}

const BOTH = 'infoBatch() and topK({ratio: 0.5})';
const AT_EQUAL_COST = ['fewer epochs', 'randomSubset({ratio})'];

/** An arm of the study of epochs. */
const armOf = ({results}: Epochs, rule: string, flipped = 0) =>
  results.find((arm) => arm.rule === rule && arm.flipped === flipped) as Epochs['results'][number];

/** The paired difference of two rules of that study. */
const differenceOf = ({compared}: Epochs, [rule, than]: readonly [string, string], flipped = 0) =>
  compared.find((pair) => pair.rule === rule && pair.than === than && pair.flipped === flipped)?.difference as Range;

/** Whether the interval leaves out 0, and on which side. */
const standing = ({mean, margin}: Range) => (Math.abs(mean) <= margin ? 'level' : mean < 0 ? 'ahead' : 'behind');

const percent = ({mean}: Range) => `${(100 * mean).toFixed(0)} %`;
const percentRange = ({mean, margin}: Range) => `${(100 * mean).toFixed(0)} ± ${(100 * margin).toFixed(0)} %`;
const points = ({mean, margin}: Range) => `${Math.abs(100 * mean).toFixed(2)} ± ${(100 * margin).toFixed(2)} points`;

export const CLAIMS: Claim[] = [
  {
    document: 'docs/results.md',
    says: 'three seeds of 20 epochs would take eight hours',
    results: 'ordered-sgd-lenet/seed-1.json',
    due({content}: {content: {msPerStep: number[]}[]}) {
      // Steps of 64 of the 60,000 digits.
      const ofEpochs = content.map(
        ({msPerStep}) => (938 * msPerStep.reduce((sum, ms) => sum + ms, 0)) / msPerStep.length,
      );
      const hours = (3 * 20 * ofEpochs.reduce((sum, ms) => sum + ms, 0)) / 3_600_000;
      return `three seeds of 20 epochs would take ${['six', 'seven', 'eight', 'nine'][Math.round(hours) - 6]} hours`;
    },
  },
  {
    document: 'docs/results.md',
    says: '63 % of the passes, 65 ± 6 % of the seconds',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => {
      const {forward, seconds} = armOf(epochs, 'infoBatch()');
      return `${percent(forward)} of the passes, ${percentRange(seconds)} of the seconds`;
    },
  },
  {
    document: 'docs/results.md',
    says: 'at 71 % of the passes, and is ahead of both baselines of equal cost, which lose 0.07 points',
    results: 'epochs-mails/results.json',
    due: (epochs: Epochs) => {
      const lost = ['fewer epochs', 'randomSubset({ratio})'].map((rule) =>
        (100 * armOf(epochs, rule).toFull.mean).toFixed(2),
      );
      const said = `at ${percent(armOf(epochs, 'infoBatch()').forward)} of the passes, and is ahead of both baselines`;
      return `${said} of equal cost, which lose ${[...new Set(lost)].join(' and ')} points`;
    },
  },
  {
    document: 'docs/results.md',
    says: '0.14 ± 0.02 points fewer errors than full training',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => `${points(armOf(epochs, BOTH).toFull)} fewer errors than full training`,
  },
  {
    document: 'docs/results.md',
    says: '59 ± 11 % of the seconds',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => `${percentRange(armOf(epochs, BOTH).seconds)} of the seconds`,
  },
  {
    document: 'docs/results.md',
    says: 'ahead of either of the two alone, of IES and of both baselines of equal cost.',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => {
      const others = ['infoBatch()', 'topK({ratio: 0.5})', 'earlyStopped()', ...AT_EQUAL_COST];
      const [all, ...more] = new Set(others.map((than) => standing(differenceOf(epochs, [BOTH, than]))));
      return `${[all, ...more].join(' or ')} of either of the two alone, of IES and of both baselines of equal cost.`;
    },
  },
  {
    document: 'docs/results.md',
    says: 'level with KAKURENBO, 0.06 ± 0.07 points, and with `randomK`, 0.05 ± 0.08 points',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => {
      const [hiding, random] = ['kakurenbo()', 'randomK({ratio: 0.5})'].map((than) =>
        differenceOf(epochs, [BOTH, than]),
      ) as [Range, Range];
      const both = [...new Set([hiding, random].map(standing))].join(' or ');
      return `${both} with KAKURENBO, ${points(hiding)}, and with \`randomK\`, ${points(random)}`;
    },
  },
  {
    document: 'docs/results.md',
    says: 'A random half is ahead of full training too**, by 0.09 ± 0.07 points',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => {
      const {toFull} = armOf(epochs, 'randomK({ratio: 0.5})');
      return `A random half is ${standing(toFull)} of full training too**, by ${points(toFull)}`;
    },
  },
  {
    document: 'docs/results.md',
    says: 'InfoBatch is behind fewer epochs, 0.29 ± 0.14 points, and level with random rows; KAKURENBO is behind both.',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => {
      const [fewer, random] = AT_EQUAL_COST.map((than) => differenceOf(epochs, ['infoBatch()', than], 0.2)) as [
        Range,
        Range,
      ];
      const hiding = AT_EQUAL_COST.map((than) => standing(differenceOf(epochs, ['kakurenbo()', than], 0.2)));
      return (
        `InfoBatch is ${standing(fewer)} fewer epochs, ${points(fewer)}, and ${standing(random)} with random rows; ` +
        `KAKURENBO is ${[...new Set(hiding)].join(' or ')} both.`
      );
    },
  },
  {
    document: 'docs/results.md',
    says: 'With wrong labels five rules are clearly ahead of full training',
    results: 'epochs-mails/results.json',
    due: ({results}: Epochs) => {
      const clear = results.filter(({flipped, toFull}) => flipped > 0 && toFull && standing(toFull) === 'ahead');
      return `With wrong labels ${['no', 'one', 'two', 'three', 'four', 'five', 'six'][clear.length]} rules are clearly ahead of full training`;
    },
  },
  {
    document: 'docs/results.md',
    says: 'Fewer epochs and random rows are ahead of InfoBatch there**, at its cost, and of KAKURENBO',
    results: 'epochs-mails/results.json',
    due: (epochs: Epochs) => {
      const behind = ['infoBatch()', 'kakurenbo()']
        .flatMap((rule) => AT_EQUAL_COST.map((than) => differenceOf(epochs, [rule, than], 0.2)))
        .every((difference) => standing(difference) === 'behind');
      return `Fewer epochs and random rows are ${behind ? 'ahead' : 'not ahead'} of InfoBatch there**, at its cost, and of KAKURENBO`;
    },
  },
  {
    document: 'docs/results.md',
    says: '0.44 ± 0.18 points more errors',
    results: 'epochs/results.json',
    due: (epochs: Epochs) => `${points(armOf(epochs, BOTH, 0.2).toFull)} more errors`,
  },
  {
    document: 'docs/faq.md',
    says: '`topK({ratio: 0.5})` is 0.60 ± 0.12 points above',
    results: 'epochs/results.json',
    due: (epochs: Epochs) =>
      `\`topK({ratio: 0.5})\` is ${points(armOf(epochs, 'topK({ratio: 0.5})', 0.2).toFull)} above`,
  },
  {
    document: 'docs/faq.md',
    says: '`infoBatch()` and `topK` together are 0.44 ± 0.18 points above',
    results: 'epochs/results.json',
    due: (epochs: Epochs) =>
      `\`infoBatch()\` and \`topK\` together are ${points(armOf(epochs, BOTH, 0.2).toFull)} above`,
  },
  {
    document: 'docs/samplers.md',
    says: 'the error of full training at 63 % of its passes',
    results: 'epochs/results.json',
    due: (epochs: Epochs) =>
      `the error of full training at ${percent(armOf(epochs, 'infoBatch()').forward)} of its passes`,
  },
  {
    document: 'README.md',
    says: 'is 21 times as fast as `trainOnBatch`',
    results: 'bench.json',
    due: (bench: Bench) => `is ${stockTimes(bench, 'stock 512')} times as fast as \`trainOnBatch\``,
  },
  {
    document: 'README.md',
    says: 'backpropagates the hardest 384 rows is 39 times as fast',
    results: 'bench.json',
    due: (bench: Bench) =>
      `backpropagates the hardest 384 rows is ${stockTimes(bench, '512/384 pruned')} times as fast`,
  },
  {
    document: 'README.md',
    says: 'takes 0.25 to 0.67 times as long as `trainOnBatch`',
    results: 'bench-small.json',
    // Without the transformer block, whose plain step takes five times as long in some runs.
    due: ({small}: {small: SmallTiming[]}) => {
      const pruned = small.filter(({name, backend, strategy}) => {
        return backend === 'wasm' && strategy === 'pruned' && name !== 'transformer block';
      });
      const ratios = pruned.map(({stockMs, minedMs}) => minedMs / stockMs);
      const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
      return `takes ${least} to ${most} times as long as \`trainOnBatch\``;
    },
  },
  {
    document: 'docs/results.md',
    says: 'add up to 0.47 of the plain step of 784-128-10',
    results: 'bench-small.json',
    due: ({small}: {small: SmallTiming[]}) => {
      const onWasm = (model: string) =>
        small.find(({name, backend}) => name === model && backend === 'wasm') as SmallTiming;
      const {stockMs, productMs} = onWasm('784-128-10');
      return `add up to ${((onWasm('2-8-2').minedMs + productMs.mined) / stockMs).toFixed(2)} of the plain step of 784-128-10`;
    },
  },
  {
    document: 'docs/training-loops.md',
    says: 'takes 0.94 to 1.06 times as long as one of a loop',
    results: 'bench-fits.json',
    due: ({fits}: {fits: {ratio: number}[]}) => {
      const ratios = fits.map(({ratio}) => ratio);
      const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
      return `takes ${least} to ${most} times as long as one of a loop`;
    },
  },
  {
    document: 'docs/training-loops.md',
    says: 'of 2-8-2 takes 0.32 times as long as by `fit` of tfjs, and one of 784-128-10 0.56 times as long',
    results: 'bench-fits.json',
    due: ({fits}: {fits: {name: string; toPlain: number}[]}) => {
      const [smallest, wider] = ['2-8-2', '784-128-10'].map((model) =>
        fits.find(({name}) => name === model)?.toPlain.toFixed(2),
      );
      return `of 2-8-2 takes ${smallest} times as long as by \`fit\` of tfjs, and one of 784-128-10 ${wider} times as long`;
    },
  },
  {
    document: 'README.md',
    says: 'The script is 144 kB gzipped',
    results: 'size.json',
    due: (sizes: {name: string; size: number}[]) => {
      const script = sizes.find(({name}) => name === 'script')?.size ?? Number.NaN;
      return `The script is ${(script / 1000).toFixed(0)} kB gzipped`;
    },
  },
  {
    document: 'docs/backends.md',
    says: 'takes two to three times as long as its forward pass',
    results: 'bench.json',
    due: (bench: Bench) => `takes ${convolutionalStep(bench)} times as long as its forward pass`,
  },
  {
    document: 'docs/samplers.md',
    says: 'for a million rows 27 to 38 ms an epoch on one core',
    results: 'bench-samplers.json',
    due: ({samplers}: Samplers) =>
      `for a million rows ${milliseconds(samplers.map(({ms}) => ms))} an epoch on one core`,
  },
  {
    document: 'docs/samplers.md',
    says: 'shuffle of the trainer it is 51 to 78 ms',
    results: 'bench-samplers.json',
    due: ({samplers}: Samplers) =>
      `shuffle of the trainer it is ${milliseconds(samplers.map(({trainerMs}) => trainerMs))}`,
  },
  {
    document: 'docs/insight.md',
    says: '`observe` takes 1.0 % of the step',
    results: 'bench-ledger.json',
    due: ({ledger}: Ledger) =>
      `\`observe\` takes ${((100 * timeOf(ledger, 'observe')) / timeOf(ledger, 'step')).toFixed(1)} % of the step`,
  },
  {
    document: 'docs/insight.md',
    says: 'together take 1.1 % of the step',
    results: 'bench-dynamics.json',
    due: ({ledger}: Ledger) => {
      const both = timeOf(ledger, 'dynamics') + timeOf(ledger, 'observe with dynamics');
      return `together take ${((100 * both) / timeOf(ledger, 'step')).toFixed(1)} % of the step`;
    },
  },
  {
    document: 'docs/pairs.md',
    says: 'takes 2.8 times as long as two such products alone',
    results: 'bench-pairs.json',
    due: ({pairs: {timings}}: {pairs: {timings: Timing[]}}) => {
      const ratio = timeOf(timings, 'batchHard') / timeOf(timings, 'two products');
      return `takes ${ratio.toFixed(1)} times as long as two such products alone`;
    },
  },
  {
    document: 'docs/insight.md',
    says: '`suspects(200)` 20 ms',
    results: 'bench-ledger.json',
    due: ({ledger}: Ledger) => `\`suspects(200)\` ${timeOf(ledger, 'suspects(200)').toFixed(0)} ms`,
  },
  {
    document: 'docs/scaling.md',
    says: 'of this network 3.3 MB a step with 2 shards, and 1.6 GB with 1,000',
    results: 'shards.json',
    due: ({runs}: ShardTraffic) => {
      const {sent = 0, received = 0} = runs.find(({how, shards}) => how === 'network' && shards === 2)?.perStep ?? {};
      const [two, thousand] = [2, 1000].map((shards) => shards * (sent + received));
      return `of this network ${((two ?? 0) / 1e6).toFixed(1)} MB a step with 2 shards, and ${((thousand ?? 0) / 1e9).toFixed(1)} GB with 1,000`;
    },
  },
  {
    document: 'docs/scaling.md',
    says: 'in 2,000 steps it killed 20 times',
    results: 'shards-soak.json',
    due: ({steps, kills, isEqual}: {steps: number; kills: {message: string; shard: number}[]; isEqual: boolean}) => {
      const named = kills.filter(({message, shard}) => message.startsWith(`shards: shard ${shard} must stay`));
      return `in ${steps.toLocaleString('en-US')} steps it killed ${isEqual ? named.length : Number.NaN} times`;
    },
  },
  {
    document: 'docs/imbalanced-data.md',
    says: 'Of the test rows 1.0 % are positive',
    results: 'imbalance.json',
    due: ({test: {positives, negatives}}: {test: {positives: number; negatives: number}}) =>
      `Of the test rows ${((100 * positives) / (positives + negatives)).toFixed(1)} % are positive`,
  },
  ...HURTS_CLAIMS,
];

/** What looks like a measured number, and is none: a choice, a rule, or what others say. */
export const CHOSEN: {document: string; says: string}[] = [
  // How the data of a guide were made.
  {document: 'docs/finding-label-errors.md', says: 'On MNIST, 2 % of the first'},
  {document: 'docs/finding-label-errors.md', says: '20 % of them have another label'},
  {document: 'docs/finding-label-errors.md', says: 'three seeds, ± its 95 % interval'},
  {document: 'docs/finding-label-errors.md', says: '2 % or 10 % have another label'},
  {document: 'docs/finding-label-errors.md', says: 'takes four times as'},
  {document: 'docs/finding-label-errors.md', says: 'better if 10 % were wrong'},
  {document: 'docs/imbalanced-data.md', says: 'The data here are 510 points'},
  {document: 'docs/faq.md', says: 'With 20 % wrong labels on MNIST'},
  // What is looked at, and how sure an interval is.
  {document: 'README.md', says: 'with 95 % intervals'},
  {document: 'docs/results.md', says: 'is the 95 % interval of the mean'},
  {document: 'docs/results.md', says: 'seed by seed, with the 95 % interval'},
  {document: 'docs/results.md', says: 'with which it reaches 95 % in few steps'},
  {document: 'docs/results.md', says: 'so the time to 95 % is about the same'},
  {document: 'docs/results.md', says: 'reaches 95 % in fewer or equally many steps'},
  // A rule of the paper's code.
  {document: 'docs/results.md', says: 'when 99.5 % of the training images are right'},
  // How many labels were made wrong.
  {document: 'docs/results.md', says: 'with 5, 10 and 20 % of them'},
  {document: 'docs/results.md', says: 'it is level up to 10 %'},
  {document: 'docs/results.md', says: 'With 20 % it is worse in the end'},
  {document: 'docs/results.md', says: 'With 20 %, which are the 20 rows'},
  {document: 'docs/choosing-k.md', says: 'the middle 80 % of the losses'},
  // What tests hold backends to.
  {document: 'docs/backends.md', says: 'agree with those of cpu within 1 %'},
  // Rules of others, and of this library.
  {document: 'docs/faq.md', says: 'yields to the page every 125 ms'},
  {document: 'docs/getting-started.md', says: 'yields to the event loop every 125 ms'},
  {document: 'docs/coming-from.md', says: 'a training accuracy of 80, 90, 95 and 99.5 % on'},
  {document: 'docs/coming-from.md', says: "So are nnU-Net's 10 % of fewer than 10"},
  {document: 'docs/detection.md', says: 'on three times as many of the hardest anchors'},
  {document: 'docs/detection.md', says: 'about four times as many. So the reduction'},
  {document: 'docs/detection.md', says: 'three times no positive is no negative'},
  {document: 'README.md', says: 'all positives and three times as many hard negatives'},
  {document: 'docs/schedules.md', says: "DeepLab's hardest 10 % of pixels"},
  {document: 'docs/selectors.md', says: 'keeps the ranks from 10 % to 60 %'},
  {document: 'docs/selectors.md', says: 'a loss a hundred times larger counts as one place'},
  {document: 'docs/selectors.md', says: '100 times likelier than the easiest'},
  {document: 'docs/selectors.md', says: 'Its authors keep 10 % of a batch'},
];
