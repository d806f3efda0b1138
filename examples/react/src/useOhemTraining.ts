import type {FitOhemArgs} from 'ohem-tfjs';
import {useCallback, useEffect, useRef, useState} from 'react';

/** The arguments by which `fitOhem` reports to the hook and is stopped by it. */
export type HookArgs = Required<Pick<FitOhemArgs, 'callbacks' | 'signal' | 'verbose'>>;

/** The figures of an epoch: `loss` of the rows that were kept, `batchLoss` of all rows. */
export interface Epoch {
  epoch: number;
  loss: number;
  batchLoss: number;
}

export interface Training<Result> {
  status: 'idle' | 'running' | 'trained' | 'stopped' | 'failed';
  epochs: Epoch[];
  result?: Result;
  error?: string;
}

/**
 * Runs a training function in the page, and follows it as state.
 *
 * @param train  Calls `fitOhem(model, x, y, {...options, ...args})`, and returns a result to show.
 */
export function useOhemTraining<Result>(train: (args: HookArgs) => Promise<Result>) {
  const [training, setTraining] = useState<Training<Result>>({status: 'idle', epochs: []});
  const run = useRef<AbortController>(undefined);

  const stop = useCallback(() => run.current?.abort(), []);
  useEffect(() => stop, [stop]);

  const start = useCallback(async () => {
    if (run.current) return;
    const controller = new AbortController();
    const {signal} = controller;
    run.current = controller;
    setTraining({status: 'running', epochs: []});
    const onEpochEnd = (epoch: number, logs: Partial<Record<string, number>> = {}) => {
      const {loss = Number.NaN, batchLoss = Number.NaN} = logs;
      setTraining(({status, epochs}) => ({status, epochs: [...epochs, {epoch: epoch + 1, loss, batchLoss}]}));
    };
    try {
      const result = await train({signal, verbose: 0, callbacks: {onEpochEnd}});
      setTraining(({epochs}) => ({status: signal.aborted ? 'stopped' : 'trained', epochs, result}));
    } catch (error) {
      setTraining(({epochs}) => ({status: 'failed', epochs, error: String(error)}));
    } finally {
      run.current = undefined;
    }
  }, [train]);

  return {...training, start, stop};
}
