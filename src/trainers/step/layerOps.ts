import type {LayersModel} from '@tensorflow/tfjs-layers';
import {opsOnTape} from '../../engine';
import {layersOf} from '../../models/model';

/** Knows which ops on the tape belong to which layer, from the first forward pass. */
export interface LayerOps {
  /** Runs a forward pass, and notes the ops of each layer if it is the first one. */
  watch<T>(forward: () => T): T;
  /** The layer of an op; undefined if that is not known, for example because the pass had other ops than the first one. */
  layerOf(op: number, modelOps: number): string | undefined;
}

interface WatchedLayer {
  name: string;
  /** Its first op on the tape, and the one behind its last. */
  first: number;
  end: number;
}

/** Watches the layers of a model, and of the models in it. */
export function layerOps(model: LayersModel): LayerOps {
  /** Inner layers come before the models that they are in. */
  let layers: WatchedLayer[] | undefined;
  return {
    watch(forward) {
      if (layers) return forward();
      const seen: WatchedLayer[] = [];
      const watched = layersOf(model).map((layer) => {
        const own = Object.getOwnPropertyDescriptor(layer, 'call');
        const {call} = layer;
        layer.call = function (this: typeof layer, ...args) {
          const first = opsOnTape();
          const outputs = call.apply(this, args);
          seen.push({name: layer.name, first, end: opsOnTape()});
          return outputs;
        };
        return {layer, own};
      });
      try {
        return forward();
      } finally {
        layers = seen;
        for (const {layer, own} of watched) {
          if (own) Object.defineProperty(layer, 'call', own);
          else delete (layer as {call?: unknown}).call;
        }
      }
    },
    layerOf(op, modelOps) {
      const end = Math.max(...(layers ?? []).map((layer) => layer.end));
      return end === modelOps ? layers?.find((layer) => layer.first <= op && op < layer.end)?.name : undefined;
    },
  };
}
