import type {FromWorker, ToWorker} from '../protocol';

/** The worker that trains, as the page sees it: where it breaks down, another takes its place. */
export interface TrainingWorker {
  send(message: ToWorker): void;
}

/** @param onBreakdown  gets the reason; the state of the worker is lost. */
export function trainingWorker(
  onMessage: (message: FromWorker) => void,
  onBreakdown: (reason: string) => void,
): TrainingWorker {
  const begin = () => {
    const made = new Worker(new URL('../worker/main.ts', import.meta.url), {type: 'module', name: 'training'});
    made.onmessage = ({data}: MessageEvent<FromWorker>) => onMessage(data);
    made.onerror = (event) => {
      event.preventDefault();
      made.terminate();
      // Without a message it could not even be loaded, and another one could not either.
      if (event.message) worker = begin();
      onBreakdown(event.message ?? '');
    };
    return made;
  };
  let worker = begin();
  return {send: (message) => worker.postMessage(message)};
}
