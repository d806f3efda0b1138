import type {LossHistograms, Results, Run, RunResult} from '../../../../examples/mnist/experiment/results';

interface Course extends Run {
  /**
   * Test accuracy at shares of the training run: what the reference experiment gives with real
   * MNIST.
   */
  accuracy: [share: number, accuracy: number][];
  msPerStep: number;
}

const COURSES: Course[] = [
  course('512/512', [0.07, 0.55, 0.85, 0.88], 98.4),
  course('1024/512', [0.12, 0.47, 0.86, 0.89], 131.2),
  course('512/384', [0.1, 0.64, 0.84, 0.88], 84.9),
  course('1024/128', [0.09, 0.16, 0.8, 0.85], 79.3),
  course('512/384 random', [0.11, 0.5, 0.8, 0.87], 84.1),
];

function course(
  name: string,
  [start, early, middle, end]: [number, number, number, number],
  msPerStep: number,
): Course {
  const [, n = 64, k = 16] = (/^(\d+)\/(\d+)/.exec(name) ?? []).map(Number);
  return {
    name,
    n,
    k,
    rule: name.includes('random') ? 'random' : 'hardest',
    accuracy: [
      [0, start],
      [0.1, early],
      [0.25, 0.45 * early + 0.55 * middle],
      [0.5, middle],
      [1, end],
    ],
    msPerStep,
  };
}

export interface ExampleOptions {
  steps?: number;
  /**
   * Names of the runs to take; those that are not of the reference experiment get its first course.
   */
  runs?: string[];
  source?: Results['data']['source'];
  snapshots?: number;
  bins?: number;
}

/** Made-up results that look like the reference experiment's, the same at every call. */
export function exampleResults({
  steps = 600,
  runs = COURSES.map(({name}) => name),
  source = 'cache',
  snapshots = 60,
  bins = 25,
}: ExampleOptions = {}): Results {
  return {
    settings: {steps, learningRate: 3e-4, seed: 1, backend: 'wasm', runs},
    data: {
      source,
      description: source === 'drawn' ? '12,000 digits drawn by this example, not MNIST' : 'MNIST from the cache',
      trainCount: source === 'drawn' ? 10_000 : 60_000,
      testCount: source === 'drawn' ? 2_000 : 10_000,
    },
    versions: {ohem: '1.0.0-rc.0', tfjs: '4.22.0', node: '20.20.2'},
    runs: runs.map((name) => {
      const known = COURSES.find((one) => one.name === name);
      return exampleRun(known ?? {...course(name, [0.1, 0.3, 0.7, 0.8], 50)}, {steps, snapshots, bins});
    }),
  };
}

function exampleRun(
  {accuracy, ...run}: Course,
  {steps, snapshots, bins}: {steps: number; snapshots: number; bins: number},
): RunResult {
  const random = congruential(run.n + run.k + run.name.length);
  const every = Math.max(1, Math.floor(steps / snapshots));
  const result: RunResult = {...run, steps: [], selectedLoss: [], batchLoss: [], testAccuracy: [], histograms: []};
  for (let step = 1; step <= steps; step++) {
    const wobble = run.k < 200 ? 0.05 * Math.sin(step * 1.7) * Math.sin(step / 23) : 0;
    const truth = at(accuracy, step / steps);
    const measured = step === 1 || step % every === 0 || step === steps;
    const losses = drawLosses(measured ? run.n : Math.ceil(run.n / (steps > 2000 ? 16 : 3)), truth + wobble, random);
    const selected = run.rule === 'random' ? losses.slice(0, kept(losses, run)) : hardest(losses, kept(losses, run));
    result.steps.push(step);
    result.batchLoss.push(mean(losses));
    result.selectedLoss.push(mean(selected));
    if (measured) {
      const snapshot: LossHistograms = {step, batch: counts(losses, bins), selected: counts(selected, bins)};
      result.histograms.push(snapshot);
      result.testAccuracy.push({step, accuracy: clamp(truth + wobble + 0.012 * (random() - 0.5))});
    }
  }
  return result;
}

/**
 * Losses of a batch of which `accuracy` is classified rightly: all near 0.45 at first, then most
 * near 0 with a long tail.
 */
function drawLosses(count: number, accuracy: number, random: () => number): number[] {
  const learned = clamp((accuracy - 0.08) / 0.6) ** 1.5;
  return Array.from({length: count}, () => {
    const untrained = 0.45 + 0.05 * (random() + random() - 1);
    const easy = 0.25 * (1 - learned) + 0.12 * random() ** 3;
    const hard = 0.25 + 0.7 * random() ** 1.4;
    return clamp((1 - learned) * untrained + learned * (random() < accuracy - 0.03 ? easy : hard));
  });
}

const kept = (losses: number[], {n, k}: Run) => Math.max(1, Math.round((losses.length * k) / n));
const hardest = (losses: number[], k: number) => [...losses].sort((a, b) => b - a).slice(0, k);
const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const clamp = (value: number) => Math.min(1, Math.max(0, value));

function counts(losses: number[], bins: number): number[] {
  const histogram = new Array<number>(bins).fill(0);
  for (const loss of losses) {
    const bin = Math.min(bins - 1, Math.floor(loss * bins));
    histogram[bin] = (histogram[bin] ?? 0) + 1;
  }
  return histogram;
}

function at(curve: [number, number][], share: number): number {
  const after = curve.findIndex(([x]) => x >= share);
  const [x1, y1] = curve[after] ?? [1, 0];
  const [x0, y0] = curve[after - 1] ?? [x1 - 1, y1];
  return y0 + ((y1 - y0) * (share - x0)) / (x1 - x0);
}

function congruential(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
