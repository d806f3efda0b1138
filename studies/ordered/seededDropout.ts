import {dropout, type Tensor} from '@tensorflow/tfjs-core';
import {layers} from '@tensorflow/tfjs-layers';

/**
 * Dropout whose masks differ from call to call, and are the same for the same seed.
 *
 * That of tfjs-layers draws the same mask at every call if it is given a seed, and is not to be had
 * again if it is not.
 */
export class SeededDropout extends layers.Layer {
  static className = 'SeededDropout';
  private calls = 0;

  constructor(
    private readonly rate: number,
    private readonly seed: number,
  ) {
    super({});
  }

  override call(inputs: Tensor | Tensor[], {training = false}: {training?: boolean}): Tensor {
    const input = Array.isArray(inputs) ? (inputs[0] as Tensor) : inputs;
    return training ? dropout(input, this.rate, undefined, `${this.seed}, ${this.calls++}`) : input;
  }
}
