import {MultiBar, Presets, type SingleBar} from 'cli-progress';
import type {ExperimentProgress} from '../experiment/experiment';
import type {RunResult, Settings} from '../experiment/results';
import {percent} from '../report/percent';

/** Shows how the runs come along. */
export interface ProgressDisplay {
  show(progress: Pick<ExperimentProgress, 'index' | 'step'> & Figures): void;
  /** Has to be called before anything else is printed. */
  stop(): void;
}

type Terminal = NodeJS.WritableStream & Partial<Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>>;

/**
 * Shows a bar for each run on a terminal; in a file or a pipe, where bars would be a mess, a line
 * for every tenth of a run.
 *
 * @param finished  runs that were over before.
 */
export function progressDisplay(settings: Settings, finished: readonly RunResult[], output: Terminal): ProgressDisplay {
  return output.isTTY ? bars(settings, finished, output) : lines(settings, output);
}

function bars({runs, steps}: Settings, finished: readonly RunResult[], output: Terminal): ProgressDisplay {
  const beside = nameWidth(runs) + 2 * String(steps).length + FIGURES_WIDTH;
  const board = new MultiBar(
    {
      format: '{name}  {bar}  {value}/{total}  {figures}',
      barsize: Math.min(30, Math.max(8, (output.columns ?? 80) - beside)),
      stream: output,
      hideCursor: true,
      autopadding: true,
      autopaddingChar: ' ',
      // The shell sees to Ctrl-C.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  const ofRuns: SingleBar[] = runs.map((name, index) => {
    const result = finished[index];
    return board.create(steps, result ? steps : 0, {
      name: name.padEnd(nameWidth(runs)),
      figures: result ? figuresOf(atEnd(result)) : '',
    });
  });
  return {
    show(progress) {
      ofRuns[progress.index]?.update(progress.step, {figures: figuresOf(progress)});
    },
    stop: () => board.stop(),
  };
}

function lines({runs, steps}: Settings, output: Terminal): ProgressDisplay {
  const every = Math.ceil(steps / 10);
  return {
    show(progress) {
      const {step, index} = progress;
      if (step % every !== 0 && step !== steps) return;
      const name = (runs[index] as string).padEnd(nameWidth(runs));
      output.write(`${name}  ${String(step).padStart(String(steps).length)}/${steps}  ${figuresOf(progress)}\n`);
    },
    stop() {},
  };
}

const nameWidth = (runs: readonly string[]) => Math.max(...runs.map(({length}) => length));

type Figures = Pick<ExperimentProgress, 'selectedLoss' | 'testAccuracy' | 'msPerStep'>;

/** Characters beside the name, the bar and twice the steps. */
const FIGURES_WIDTH = 'loss 0.123  accuracy 100.0 %  1234 ms/step'.length + 8;

const figuresOf = ({selectedLoss, testAccuracy, msPerStep}: Figures) =>
  `loss ${selectedLoss.toFixed(3)}  accuracy ${percent(testAccuracy).padStart(6)}  ${msPerStep.toFixed(0).padStart(3)} ms/step`;

const atEnd = ({selectedLoss, testAccuracy, msPerStep}: RunResult): Figures => ({
  selectedLoss: selectedLoss.at(-1) ?? Number.NaN,
  testAccuracy: testAccuracy.at(-1)?.accuracy ?? Number.NaN,
  msPerStep,
});
