import type {Results} from '../experiment/results';

/** What to type to get these results again; `DIR` stands for a folder of digits, whose path the results do not hold. */
export function reproduceCommand({settings, data}: Results): string {
  const {steps, learningRate, seed, backend, runs} = settings;
  const options = {
    steps,
    lr: learningRate,
    seed,
    backend,
    runs: runs.join(','),
    ...(data.source === 'drawn' && {digits: data.trainCount}),
    ...(data.source === 'folder' && {data: 'DIR'}),
  };
  const typed = Object.entries(options).map(([option, value]) => `--${option} ${quoted(String(value))}`);
  return `npm run mnist -- ${typed.join(' ')}`;
}

/** Quoted for a shell where it has to be. */
const quoted = (text: string) => (/^[\w./,:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
