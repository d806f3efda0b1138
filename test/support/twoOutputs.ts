import {type Tensor, tensor2d} from '@tensorflow/tfjs-core';
import {input, type LayersModel, layers, model, type SymbolicTensor} from '@tensorflow/tfjs-layers';

/**
 * A model with two inputs, `a` of 2 and `b` of 1, and two outputs, `left` of 2 and `right` of 1,
 * with data of four rows.
 */
export function twoOutputs(): {model: LayersModel; x: [a: Tensor, b: Tensor]; y: [left: Tensor, right: Tensor]} {
  const [a, b] = [input({shape: [2], name: 'a'}), input({shape: [1], name: 'b'})];
  const both = layers.concatenate().apply([a, b]) as SymbolicTensor;
  const dense = (name: string, units: number, activation: 'softmax' | 'linear') =>
    layers.dense({name, units, activation, kernelInitializer: 'ones'}).apply(both) as SymbolicTensor;
  return {
    model: model({inputs: [a, b], outputs: [dense('left', 2, 'softmax'), dense('right', 1, 'linear')]}),
    x: [tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]), tensor2d([1, -1, 2, -2], [4, 1])],
    y: [tensor2d([1, 0, 0, 1, 1, 0, 0, 1], [4, 2]), tensor2d([4, 5, 13, 14], [4, 1])],
  };
}
