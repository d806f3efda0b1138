import type {Results} from '../experiment/results';

/** What every output says about digits that the example drew itself; nothing where they are MNIST's. */
export function drawnWarning({data}: Results): string[] {
  return data.source === 'drawn'
    ? ['These digits were drawn by the example: not MNIST.', 'No figure here says anything about MNIST.']
    : [];
}
