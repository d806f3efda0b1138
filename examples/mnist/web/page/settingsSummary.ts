import type {Settings} from '../../experiment/results';
import type {DataRequest} from '../protocol';
import {BACKEND_NAMES} from './backendNames';

const count = (number: number) => number.toLocaleString('en-US');

/** All settings of a training run in one line, for those who have folded them away. */
export function settingsSummary({runs, steps, learningRate, seed, backend}: Settings, data: DataRequest): string {
  const digits =
    data.kind === 'drawn' ? `${count(data.count)} drawn digits` : data.kind === 'files' ? 'your files' : 'MNIST';
  return `${runs.join(', ')} · ${count(steps)} steps · rate ${learningRate} · ${digits} · ${BACKEND_NAMES[backend]} · seed ${seed}`;
}
