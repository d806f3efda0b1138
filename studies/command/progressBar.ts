import {Presets, SingleBar} from 'cli-progress';

/** Shows how far a study is and how long it will take. */
export interface StudyProgress {
  /** @param done  in seeds: 2.5 is the middle of the third. */
  show(done: number): void;
  /** Has to be called before anything else is printed. */
  stop(): void;
}

type Terminal = NodeJS.WritableStream & Partial<Pick<NodeJS.WriteStream, 'isTTY'>>;

/** So fine that the bar moves with every step. */
const PARTS = 10_000;

/**
 * Shows a bar on a terminal; in a file or a pipe, where a bar would be a mess, a line for every
 * tenth of a seed.
 *
 * The time left is judged by the seeds that this process has trained, not by those that it found.
 *
 * @param found  seeds that were there before.
 */
export function progressBar(
  {name, seeds, found}: {name: string; seeds: number; found: number},
  output: Terminal,
): StudyProgress {
  const start = performance.now();
  const left = (done: number) => duration(((performance.now() - start) * (seeds - done)) / (done - found) / 1000);
  if (!output.isTTY) {
    let told = Math.floor(found * 10);
    return {
      show(done) {
        const tenths = Math.floor(done * 10 + 1e-9);
        if (tenths === told) return;
        told = tenths;
        output.write(`${name}  ${done.toFixed(1)} of ${seeds} seeds  ${left(done)} left\n`);
      },
      stop() {},
    };
  }
  const bar = new SingleBar(
    {
      format: '{name}  {bar}  {seeds} seeds  {left} left',
      stream: output,
      barsize: 30,
      hideCursor: true,
      // The shell sees to Ctrl-C.
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  const figures = (done: number) => ({name, seeds: `${done.toFixed(1)} of ${seeds}`, left: left(done)});
  bar.start(seeds * PARTS, Math.floor(found * PARTS), {...figures(found), left: '–'});
  return {
    show: (done) => bar.update(Math.floor(done * PARTS), figures(done)),
    stop: () => bar.stop(),
  };
}

/** `3 h 05 min`, `12 min`, `40 s`; a dash if unknown. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
