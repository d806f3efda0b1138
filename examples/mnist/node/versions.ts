import {version_core} from '@tensorflow/tfjs-core';
import ohem from '../../../package.json' with {type: 'json'};
import type {Results} from '../experiment/results';

/** What the results were made with. */
export const versions = (): Results['versions'] => ({
  ohem: ohem.version,
  tfjs: version_core,
  node: process.versions.node,
});
