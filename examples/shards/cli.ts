import {runCommand} from '../mnist/node/runCommand';
import {shards} from './node/shards';

await runCommand('npm run shards', shards);
