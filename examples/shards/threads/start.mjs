/**
 * @file Starts the thread of a shard: in a thread of Node 20 tsx must be registered to read
 *   TypeScript.
 */
import {register} from 'tsx/esm/api';

register();
await import('./worker.ts');
