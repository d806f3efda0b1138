import type {VolumeAxes, WindowAxis} from './windowAxis';

/**
 * Finds the largest number of each window and channel.
 *
 * @param values   float32[B, D, H, W, C], all in a row.
 * @param ofEqual  which one it is where several are the largest.
 * @returns the places of these numbers in `values`, int32[B, D', H', W', C]; −1 for a window that has none.
 */
export function windowMaxima(
  values: ArrayLike<number>,
  batchSize: number,
  [frames, rows, columns]: VolumeAxes,
  channels: number,
  ofEqual: 'first' | 'last',
): Int32Array {
  const places = new Int32Array(batchSize * frames.output * rows.output * columns.output * channels).fill(-1);
  const maxima = new Float32Array(channels);
  const takesEqual = ofEqual === 'last';
  let window = 0;
  for (let batch = 0; batch < batchSize; batch++) {
    for (const ofFrames of covered(frames)) {
      for (const ofRows of covered(rows)) {
        for (const ofColumns of covered(columns)) {
          maxima.fill(Number.NEGATIVE_INFINITY);
          for (let frame = ofFrames.first; frame < ofFrames.end; frame++) {
            for (let row = ofRows.first; row < ofRows.end; row++) {
              const line = ((batch * frames.input + frame) * rows.input + row) * columns.input;
              for (let column = ofColumns.first; column < ofColumns.end; column++) {
                const pixel = (line + column) * channels;
                for (let channel = 0; channel < channels; channel++) {
                  const value = values[pixel + channel] as number;
                  const largest = maxima[channel] as number;
                  if (value > largest || (takesEqual && value === largest)) {
                    maxima[channel] = value;
                    places[window + channel] = pixel + channel;
                  }
                }
              }
            }
          }
          window += channels;
        }
      }
    }
  }
  return places;
}

/** What each window covers of the axis. */
function covered({input, output, kernel, stride, before}: WindowAxis): {first: number; end: number}[] {
  return Array.from({length: output}, (_, window) => {
    const first = window * stride - before;
    return {first: Math.max(0, first), end: Math.min(input, first + kernel)};
  });
}
