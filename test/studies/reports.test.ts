/**
 * @file What studies make of the records of their seeds; the records are thought up, so that the
 *   answers are known.
 */
import type {TopLevelSpec} from 'vega-lite';
import {describe, expect, it} from 'vitest';
import {renderSvg} from '../../examples/mnist/report/render';
import type {CostSummary} from '../../studies/cost/report';
import type {DetectionSummary} from '../../studies/detection/report';
import type {EpochsSummary} from '../../studies/epochs/report';
import type {HurtsSummary} from '../../studies/hurts/summary';
import type {StudyReport} from '../../studies/kit/study';
import type {LabelsSummary} from '../../studies/labels/report';
import type {NoiseSummary} from '../../studies/noise/report';
import type {OrderedSummary} from '../../studies/ordered/report';
import type {PairsSummary} from '../../studies/pairs/report';
import type {ReferenceSummary} from '../../studies/reference/summary';
import type {RulesSummary} from '../../studies/rules/report';
import type {SegmentationSummary} from '../../studies/segmentation/report';
import type {SpeedSummary} from '../../studies/speed/report';
import {studies} from '../../studies/studies';
import type {TunedSummary} from '../../studies/tuned/report';
import {
  costRecords,
  detectionRecords,
  epochsRecords,
  hurtsRecords,
  labelsRecords,
  noiseRecords,
  noiseRulesRecords,
  orderedRecords,
  pairsRecords,
  referenceRecords,
  rulesRecords,
  segmentationRecords,
  speedRecords,
  tunedRecords,
} from '../support/studyRecords';

const RECORDS: Record<string, unknown[]> = {
  reference: referenceRecords(),
  'ordered-sgd': orderedRecords(),
  'ordered-sgd-lenet': orderedRecords(),
  noise: noiseRecords(),
  'noise-rules': noiseRulesRecords(),
  cost: costRecords(),
  rules: rulesRecords(),
  pairs: pairsRecords(),
  epochs: epochsRecords(),
  'epochs-mails': epochsRecords(),
  hurts: hurtsRecords(),
  labels: labelsRecords(),
  tuned: tunedRecords(),
  speed: speedRecords(),
  detection: detectionRecords(),
  segmentation: segmentationRecords(),
};

function reportOf(name: string, seeds = 3): StudyReport {
  const study = studies.find((other) => other.name === name);
  if (!study) throw new Error(`there is no ${name}`);
  return study.report((RECORDS[name] as unknown[]).slice(0, seeds), study.settings(400));
}

const figures = studies.flatMap(({name}) =>
  Object.entries(reportOf(name).figures).map(([figure, make]) => ({name, figure, make})),
);

const textsIn = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

describe.each(figures)('The figure $figure of $name', ({make}) => {
  it('is drawn for light and for dark pages, with a label for who does not see it', async () => {
    const [light, dark] = [await renderSvg(make('light')), await renderSvg(make('dark'))];
    expect(light).toContain('#ffffff');
    expect(dark).not.toContain('#ffffff');
    expect(light).toMatch(/aria-label="[^"]{40,}"/);
    expect(textsIn(light)).toEqual(textsIn(dark));
    expect(light).not.toContain('NaN');
  });
});

const colorsOf = (spec: TopLevelSpec) => JSON.stringify(spec).match(/"color":"#\w+"/g) ?? [];

describe('The reference study', () => {
  const {figures: drawn, summary} = reportOf('reference');
  const {arms} = summary as ReferenceSummary;
  const arm = (name: string) => arms.find((other) => other.name === name) as ReferenceSummary['arms'][number];

  it('draws the runs of the original in its colours, each named at its end, with a band', async () => {
    const spec = (drawn['figure-1'] as (theme: 'light') => TopLevelSpec)('light');
    for (const color of ['#3498e0', '#d62839', '#00746b', '#6a24b8'])
      expect(colorsOf(spec)).toContain(`"color":"${color}"`);
    expect(JSON.stringify(spec).match(/"type":"area"/g)).toHaveLength(8);
    expect(textsIn(await renderSvg(spec))).toContain('1024/512 · 88.5 %');
  });

  it('estimates accuracies, and differences seed by seed', () => {
    const last = arm('512/384').afterSteps[400];
    // 0.91 less 0.02 on average over the seeds, and what is left of the start.
    expect(last?.mean).toBeCloseTo(0.89 - 0.81 * Math.exp(-4), 10);
    expect(last?.deviation).toBeCloseTo(0.01, 10);
    // The seeds do the same to both: nothing scatters.
    const {mean, deviation} = arm('512/384').toWholeBatch?.afterSteps[400] ?? {};
    expect(mean).toBeCloseTo(0.01 * (1 - Math.exp(-4)), 10);
    expect(deviation).toBeCloseTo(0, 10);
    expect(arm('512/384').toRandom?.afterSteps[400]?.deviation).toBeGreaterThan(0.001);
    expect(arm('512/512').toWholeBatch).toBeUndefined();
    expect(arm('512/384 random').toRandom).toBeUndefined();
    expect(arm('512/384 random').toWholeBatch).toBeDefined();
  });

  it('compares after as many examples and as many seconds', () => {
    expect(Object.keys(arm('512/512').afterExamples)).toEqual(['51200', '153600']);
    // 51,200 examples are 100 steps of 512, and all 400 of 128.
    expect(arm('512/512').afterExamples[51200]?.mean).toBeCloseTo(arm('512/512').afterSteps[100]?.mean as number, 10);
    expect(arm('1024/128').afterExamples[51200]?.mean).toBeCloseTo(arm('1024/128').afterSteps[400]?.mean as number, 10);
    expect(arm('1024/128').afterExamples[153600]?.mean).toBeNaN();
    // At one pace the quickest arm takes 400 steps of 72 ms in every seed.
    expect(Object.keys(arm('512/512').afterSeconds)).toEqual(['14', '28']);
  });

  it('tells of the selected loss at the end, and of the worst fall', () => {
    expect(arm('1024/128').selectedLoss.mean).toBeGreaterThan(arm('512/512').selectedLoss.mean);
    expect(arm('512/512').worstFall.mean).toBe(0);
  });

  it('knows no interval of a single seed, and draws it all the same', async () => {
    const {summary: single, figures: ofOne} = reportOf('reference', 1);
    expect((single as ReferenceSummary).arms[0]?.afterSteps[400]?.margin).toBeNaN();
    expect(await renderSvg((ofOne['figure-1'] as (theme: 'light') => TopLevelSpec)('light'))).not.toContain('NaN');
  });
});

describe('The study of Ordered SGD', () => {
  it('gives errors at the end and their paired difference', () => {
    const {arms, difference} = reportOf('ordered-sgd').summary as OrderedSummary;
    expect(arms.map(({testError}) => Number(testError[3]?.mean.toFixed(6)))).toEqual([0.079, 0.075]);
    expect(arms[0]?.testError[3]?.deviation).toBeCloseTo(0.001, 10);
    expect(arms[1]?.kept).toEqual([16, 16, 16]);
    expect(difference[3]?.mean).toBeCloseTo(-0.004, 10);
    // 6 + 5 + 4 against 6 + 6 + 6 milliseconds.
    expect(arms[1]?.stepTimeToSgd.mean).toBeCloseTo(15 / 18, 10);
  });
});

describe('The study of noise', () => {
  it('has an estimate for each rule, share and measured epoch', () => {
    const {results} = reportOf('noise').summary as NoiseSummary;
    expect(results).toHaveLength(16);
    expect(results[15]?.rule).toBe('trimmedTopK({k: 50, skip: 20})');
    expect(results[15]?.flipped).toBe(0.2);
    expect(Object.keys(results[15]?.afterEpochs ?? {})).toEqual(['1', '5', '20']);
    expect(results[15]?.afterEpochs[20]?.mean).toBeCloseTo(0.95 - 0.02 - 0.004, 10);
    expect(results[15]?.toPlain?.[20]?.mean).toBeCloseTo(0.06, 10);
    expect(results[12]?.toPlain).toBeUndefined();
  });
});

describe('The study of rules for wrong labels', () => {
  it('has the wrong labels among the kept rows beside the accuracy, and compares with all rows', () => {
    const {results} = reportOf('noise-rules').summary as NoiseSummary;
    expect(results.map(({wrongAmongKept}) => wrongAmongKept?.[30]?.mean)).toEqual([
      ...[0.2, 0.4, 0.03].map((share) => expect.closeTo(share, 10)),
    ]);
    expect(results[2]?.toPlain?.[30]?.mean).toBeCloseTo(0.04, 10);
  });
});

describe('The study of cost', () => {
  const {arms} = reportOf('cost').summary as CostSummary;

  it('gives times to levels, only if every seed reaches them', () => {
    const plain = arms[0] as CostSummary['arms'][number];
    // The accuracies end at 0.95, 0.94 and 0.92, for seeds 1 to 3.
    expect(Object.keys(plain.secondsTo)).toEqual(['0.9']);
    // A step of seed 2 takes 96 ms, and those of the others as much less and more.
    const [steps, seconds] = [plain.stepsTo[0.9]?.mean as number, plain.secondsTo[0.9]?.mean as number];
    expect(steps).toBeGreaterThan(200);
    expect(seconds / steps).toBeCloseTo(0.096, 2);
  });

  it('compares step times seed by seed, and losses with those of masked', () => {
    const pruned = arms[3] as CostSummary['arms'][number];
    expect(pruned.name).toBe('512/384 pruned');
    expect(pruned.stepTimeToPlain.mean).toBeCloseTo(0.8, 10);
    expect(pruned.stepTimeToPlain.deviation).toBeCloseTo(0, 10);
    expect(pruned.lossDifference).toBe(0);
  });
});

describe('The study of rules', () => {
  it('compares every rule with as many rows at random', () => {
    const {rules} = reportOf('rules').summary as RulesSummary;
    expect(rules.map(({toRandom}) => toRandom?.afterSteps[400] !== undefined)).toEqual([true, true, false, true]);
    expect(rules[3]?.toRandom?.afterSteps[400]?.mean).toBeCloseTo(0.02 * (1 - Math.exp(-4)), 10);
    expect(rules[3]?.onTheWay.mean).toBeLessThan(rules[3]?.afterSteps[400]?.mean as number);
  });
});

describe('The study of pairs', () => {
  const {arms} = reportOf('pairs').summary as PairsSummary;
  const arm = (name: string, digits = 'all digits') => {
    return arms.find((other) => other.name === name && other.digits === digits) as PairsSummary['arms'][number];
  };

  it('compares each miner with random triplets, seed by seed', () => {
    expect(arm('random triplets').recallAt1.after.mean).toBeCloseTo(0.88, 10);
    expect(arm('semi-hard').recallToRandom.mean).toBeCloseTo(0.04, 10);
    expect(arm('batch-hard', 'unseen digits').recallToRandom.mean).toBeCloseTo(0, 10);
  });

  it('shows what collapsed by its spread', () => {
    expect(arm('batch-hard').spread.mean).toBeCloseTo(0.05, 10);
    expect(arm('semi-hard').spread.mean).toBeCloseTo(1.3, 10);
    expect(arm('semi-hard').collapsedAt).toEqual([null, null, null]);
    expect(arm('batch-hard').collapsedAt).toEqual([41, 42, 43]);
  });
});

describe('The study of epochs', () => {
  const {results, compared} = reportOf('epochs').summary as EpochsSummary;

  it('compares cost with that of full training, and the error with it seed by seed, for each share of wrong labels', () => {
    const [full, infoBatch, topK] = results as [EpochsSummary['results'][number], ...EpochsSummary['results']];
    expect(results.map(({rule, flipped}) => `${flipped} ${rule}`)).toEqual([
      ...['0 full', '0 infoBatch()', '0 topK({ratio: 0.5})', '0 fewer epochs'],
      ...['0.2 full', '0.2 infoBatch()', '0.2 topK({ratio: 0.5})', '0.2 fewer epochs'],
    ]);
    expect(full.toFull).toBeUndefined();
    expect([infoBatch?.forward.mean, infoBatch?.seconds.mean, topK?.backward.mean]).toEqual([
      expect.closeTo(0.7),
      expect.closeTo(0.75),
      expect.closeTo(0.5),
    ]);
    expect(infoBatch?.toFull).toEqual({
      mean: expect.closeTo(-0.002),
      margin: expect.closeTo(0),
      deviation: expect.closeTo(0),
      count: 3,
    });
    expect(results[4]?.testError.mean).toBeCloseTo(0.02 + 0.04 + 0.002);
  });

  it('compares rules with those of equal cost, seed by seed', () => {
    const difference = {
      mean: expect.closeTo(-0.001),
      margin: expect.closeTo(0),
      deviation: expect.closeTo(0),
      count: 3,
    };
    expect(compared).toEqual(
      [0, 0.2].map((flipped) => ({rule: 'infoBatch()', than: 'fewer epochs', flipped, difference})),
    );
  });

  it('draws the error over passes and over seconds, each line named once, with a band of full training alone', () => {
    interface Layer {
      mark: {type: string; text?: string};
      data: {values: {value: number; high: number}[]};
    }
    const {curves} = reportOf('epochs').figures as {curves: (theme: 'light') => unknown};
    const {vconcat} = curves('light') as {vconcat: {hconcat: {layer: Layer[]}[]}[]};
    const panels = vconcat.flatMap(({hconcat}) => hconcat.map(({layer}) => layer));
    const layersOf = (panel: Layer[], type: string) => panel.filter(({mark}) => mark.type === type);
    expect(panels.map((panel) => layersOf(panel, 'line').length)).toEqual([4, 4, 4, 4]);
    const names = ['full', 'fewer epochs', 'infoBatch', 'topK'];
    expect(panels.map((panel) => layersOf(panel, 'text').map(({mark}) => mark.text))).toEqual([[], names, [], names]);
    const isWide = ({data: {values}}: Layer) => values.some(({value, high}) => high > value);
    for (const panel of panels) expect(layersOf(panel, 'area').map(isWide)).toEqual([true, false, false, false]);
  });
});

describe('The study of what hurts', () => {
  const {tasks} = reportOf('hurts').summary as HurtsSummary;

  it('compares each rule with all rows, and the hardest half with a random one, at the end and on the way', () => {
    expect(tasks.map(({task}) => task)).toEqual(['few rows', 'sequences']);
    for (const {rules} of tasks) {
      const [all, mined, random] = rules as [(typeof rules)[number], ...typeof rules];
      expect([all.end.error?.value.mean, all.onTheWay.error?.value.mean]).toEqual([
        expect.closeTo(0.48),
        expect.closeTo(0.38),
      ]);
      expect([mined?.end.error?.toAll?.mean, mined?.end.error?.toRandom?.mean]).toEqual([
        expect.closeTo(0.1),
        expect.closeTo(-0.1),
      ]);
      expect(mined?.onTheWay.error?.toAll?.margin).toBeCloseTo(0);
      expect(mined?.end.error?.relative?.mean).toBeCloseTo(0.1 / 0.48, 3);
      expect([all.end.error?.toAll, all.end.error?.toRandom, random?.end.error?.toRandom]).toEqual([
        ...[undefined, undefined, undefined],
      ]);
      expect(random?.end.error?.toAll?.mean).toBeCloseTo(0.2);
    }
  });
});

describe('The study of wrong labels', () => {
  const {finders, teaching} = reportOf('labels').summary as LabelsSummary;

  it('says how many of the named rows are wrong, how many of the wrong ones are named, and what that is worth', () => {
    const [none, suspects] = finders;
    expect([none?.precision, suspects?.flipped]).toEqual([undefined, 0.02]);
    expect(suspects?.precision?.mean).toBeCloseTo(7 / 8, 10);
    expect(suspects?.recall.mean).toBeCloseTo(0.7, 10);
    expect([none?.toNone.mean, suspects?.toNone.mean].map((points) => points?.toFixed(3))).toEqual(['0.000', '0.010']);
  });

  it('holds each way to train against all rows, at its best and in the end', () => {
    const figures = teaching.map(({best, end, toAll, toOwn}) =>
      [best, end, toAll, toOwn].map(({mean}) => mean.toFixed(2)),
    );
    expect(figures).toEqual([
      ['0.90', '0.60', '0.00', '-0.20'],
      ['0.80', '0.80', '0.20', '0.00'],
      ['0.85', '0.85', '0.25', '0.05'],
    ]);
  });
});

describe('The study of tuned rates', () => {
  const {arms, equalSeconds} = reportOf('tuned').summary as TunedSummary;
  const arm = (optimizer: string, name: string) =>
    arms.find((other) => other.optimizer === optimizer && other.name === name) as TunedSummary['arms'][number];

  it('compares each run with plain training by the same optimizer, and with as many rows at random', () => {
    const mined = arm('sgd', '512/384');
    expect(mined.toPlain?.afterSteps[400]?.mean).toBeCloseTo(0.02 * (1 - Math.exp(-4)), 10);
    expect(mined.toRandom?.afterSteps[400]?.mean).toBeCloseTo(0.03 * (1 - Math.exp(-4)), 10);
    expect(arm('adam', '512/384').toPlain?.afterSteps[400]?.mean).toBeCloseTo(0, 10);
    expect([arm('sgd', '512/512').toPlain, arm('sgd', '512/384 random').toRandom]).toEqual([undefined, undefined]);
    expect(Object.keys(mined.afterSteps)).toEqual(['100', '300', '400']);
  });

  it('compares at equal time, when the quickest run is over', () => {
    // At one pace the quickest take 400 steps of 72 ms in every seed.
    expect(equalSeconds.sgd).toBeCloseTo(28.8, 1);
    const mined = arm('sgd', '512/384');
    expect(mined.atEqualSeconds.mean).toBeCloseTo(mined.afterSteps[400]?.mean as number, 6);
    expect(mined.toPlain?.atEqualSeconds.mean).toBeGreaterThan(mined.toPlain?.afterSteps[400]?.mean as number);
  });

  it('says where the best rate is the last of the grid', () => {
    expect([arm('sgd', '512/384').isAtEdge, arm('sgd', '512/384 random').isAtEdge]).toEqual([false, true]);
  });
});

describe('The study of speed', () => {
  const {summary, figures: drawn} = reportOf('speed');

  it('divides each mined step by its plain one', () => {
    const ratios = (summary as SpeedSummary).steps.map(({model, ratio}) => [model, ratio]);
    expect(ratios).toEqual([
      ['2-8-2', expect.closeTo(0.75)],
      ['784-1024-10, batch of 512', 0.5],
      ['2-8-2', 1.25],
      ['784-1024-10, batch of 512', 0.7],
    ]);
  });

  it('writes ratios and times beside the points, a panel for each backend and share, and says what is missing', async () => {
    const svg = await renderSvg((drawn['step-times'] as (theme: 'light') => TopLevelSpec)('light'));
    const texts = textsIn(svg);
    for (const text of ['0.75', '0.50', '1.25', '0.70', '0.80 → 0.60 ms', '100 → 50 ms', '60 → 42 ms']) {
      expect(texts).toContain(text);
    }
    expect(texts).toContain('wasm · the harder half of the rows backward');
    expect(texts).toContain('wasm with 2 threads · the hardest 75 % of the rows backward');
    expect(svg).toContain(
      'of 2 models 1 on cpu and 1 on wasm with 2 threads are measured; the others are missing there',
    );
  });
});

describe('The studies of scenes', () => {
  const detection = reportOf('detection').summary as DetectionSummary;
  const segmentation = reportOf('segmentation').summary as SegmentationSummary;
  const rule = (name: string) =>
    detection.rules.find((other) => other.name === name) as DetectionSummary['rules'][number];

  it('compare each rule with all and with random rows, at equal steps, seed by seed', () => {
    const {measures} = rule('hardNegatives 3 : 1');
    expect(measures.map50.end.mean).toBeCloseTo(0.68, 10);
    expect(measures.map50.toAll.mean).toBeCloseTo(0.2, 10);
    expect(measures.map50.toRandom.mean).toBeCloseTo(0.1, 10);
    expect(measures.map.toRandom.mean).toBeCloseTo(0.05, 10);
    expect(measures.map50.toAll.deviation).toBeCloseTo(0, 10);
    expect(segmentation.rules[2]?.measures.boundaryF1.toAll.mean).toBeCloseTo(0.1, 10);
  });

  it('compare at equal time: where the slower rule is when the fastest ends', () => {
    expect([detection.steps, detection.equalSeconds]).toEqual([300, 30]);
    // Three times as long a step: a hundred steps in the same time.
    const {measures, stepTimeToAll} = rule('hardNegatives 3 : 1');
    expect(stepTimeToAll.mean).toBeCloseTo(3, 10);
    expect(measures.map50.atEqualSeconds.mean).toBeCloseTo(0.48, 10);
    expect(measures.map50.toAllAtEqualSeconds.mean).toBeCloseTo(0, 10);
  });

  it('have no false positives at a recall that a rule does not reach', () => {
    expect(rule('all anchors').measures.falsePositivesAt80.end.mean).toBeNaN();
    expect(rule('hardNegatives 3 : 1').measures.falsePositivesAt80.end.mean).toBe(2);
  });

  it('show right detections in one colour and false ones in another', () => {
    const {figures: drawn} = reportOf('detection');
    const spec = JSON.stringify((drawn.scenes as (theme: 'light') => TopLevelSpec)('light'));
    expect(spec).toContain('"text":"3 · 90"');
    expect(spec.match(/"kind":"found"/g)).toHaveLength(2);
    expect(spec.match(/"kind":"false"/g)).toHaveLength(2);
  });
});
