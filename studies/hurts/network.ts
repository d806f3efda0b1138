import {initializers, type LayersModel, layers, sequential} from '@tensorflow/tfjs-layers';

/** A dense network with ReLU between its layers; a seed always gives the same weights. */
export function denseNetwork(
  [inputs, ...units]: [number, ...number[]],
  activation: 'sigmoid' | 'softmax',
  seed: number,
): LayersModel {
  return sequential({
    layers: units.map((size, place) => {
      const isLast = place === units.length - 1;
      const draw = {seed: units.length * seed + place + 1};
      return layers.dense({
        ...(place === 0 && {inputShape: [inputs]}),
        ...{units: size, activation: isLast ? activation : 'relu'},
        kernelInitializer: isLast ? initializers.glorotNormal(draw) : initializers.heNormal(draw),
      });
    }),
  });
}

/** A GRU that predicts a symbol at each step; a seed always gives the same weights. */
export function recurrentNetwork(symbols: number, units: number, seed: number): LayersModel {
  const init = (draw: number) => initializers.glorotUniform({seed: 3 * seed + draw});
  return sequential({
    layers: [
      layers.gru({
        ...{inputShape: [null, symbols], units, returnSequences: true},
        ...{kernelInitializer: init(1), recurrentInitializer: init(2)},
      }),
      layers.dense({units: symbols, activation: 'softmax', kernelInitializer: init(3)}),
    ],
  });
}
