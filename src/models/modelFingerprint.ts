import type {LayersModel} from '@tensorflow/tfjs-layers';
import {hashed} from '../random';

/** What may differ between two layers that compute the same function of the same weights. */
const IGNORED = /^name$|^seed$|Initializer$/;
/** Where a configuration names its layers. */
const REFERENCES = ['inboundNodes', 'inputLayers', 'outputLayers'];

/**
 * Computes a number that differs if two models differ: in a layer, an option of it, a connection,
 * or in the shapes of the trained weights. An integer from 0 to 2³¹ − 1, so that any transport can
 * carry it.
 *
 * Names, seeds and initializers do not count: they need not be equal for shards to learn the same.
 * Of a function, and of layers whose `getConfig` throws, only the shapes count.
 */
export function modelFingerprint(model: LayersModel): number {
  const shapes = model.trainableWeights.map((weight) => weight.read().shape);
  return hashed(new TextEncoder().encode(JSON.stringify([shapes, structureOf(model)]))) >>> 1;
}

function structureOf(model: LayersModel): unknown {
  // A function is a model without layers.
  if (model.layers.length === 0) return null;
  try {
    return withoutNames(model.getConfig());
  } catch {
    return null;
  }
}

/**
 * Copies a configuration without what is ignored; layers are referred to by their places. A model
 * that was saved and loaded again lists some defaults that a new one omits.
 */
function withoutNames(config: unknown, places: readonly string[] = []): unknown {
  if (Array.isArray(config)) return config.map((part) => withoutNames(part, places));
  if (typeof config !== 'object' || config === null) return config;
  const isGiven = (key: string, value: unknown) => value != null && !(key === 'dtype' && value === 'float32');
  const entries = Object.entries(config).filter(([key, value]) => !IGNORED.test(key) && isGiven(key, value));
  const names = entries.flatMap(([key, value]) => (key === 'layers' && Array.isArray(value) ? value.map(nameOf) : []));
  const known = names.length > 0 ? names : places;
  const copied = (key: string, value: unknown) => {
    // Shards may be of different sizes.
    if (key === 'batchInputShape' && Array.isArray(value)) return value.slice(1);
    return REFERENCES.includes(key) ? byPlace(value, known) : withoutNames(value, known);
  };
  return Object.fromEntries(entries.map(([key, value]) => [key, copied(key, value)]));
}

const nameOf = (layer: unknown): string => {
  const {name, config} = Object(layer) as {name?: string; config?: {name?: string}};
  return name ?? config?.name ?? '';
};

/** Replaces the names of layers in a list of connections by their places. */
function byPlace(connections: unknown, names: readonly string[]): unknown {
  if (Array.isArray(connections)) return connections.map((part) => byPlace(part, names));
  const place = typeof connections === 'string' ? names.indexOf(connections) : -1;
  return place < 0 ? connections : place;
}
