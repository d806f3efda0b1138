import {trainRareClass} from './rareClass';
import {useOhemTraining} from './useOhemTraining';

export function TrainingPanel() {
  const {status, epochs, result, error, start, stop} = useOhemTraining(trainRareClass);
  return (
    <main>
      <h1>Training on the hardest 64 of 256 rows</h1>
      <button type="button" onClick={start} disabled={status === 'running'}>
        Train
      </button>
      <button type="button" onClick={stop} disabled={status !== 'running'}>
        Stop
      </button>
      <p role="status">
        {status}
        {result !== undefined && `: ${result.toFixed(0)} % of the rare points found`}
        {error !== undefined && `: ${error}`}
      </p>
      <ol>
        {epochs.map(({epoch, loss, batchLoss}) => (
          <li key={epoch}>
            loss {batchLoss.toFixed(4)}, of the rows kept {loss.toFixed(4)}
          </li>
        ))}
      </ol>
    </main>
  );
}
