/**
 * Online hard example mining for TensorFlow.js: run n examples forward, backpropagate only the k
 * hardest.
 * @module ohem-tfjs
 */
export * from './insight';
export * from './losses';
export * from './pairs';
export * from './samplers';
export * from './schedules';
export * from './selectors';
export * from './trainers';
