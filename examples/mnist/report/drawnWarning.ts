import type {DataSource} from '../experiment/results';

/**
 * What every output says about digits that the example drew itself; nothing where they are MNIST's.
 */
export function drawnWarning(source: DataSource): string[] {
  return source === 'drawn'
    ? ['These digits were drawn by the example: not MNIST.', 'No figure here says anything about MNIST.']
    : [];
}
