import {mnist} from './node/mnist';
import {runCommand} from './node/runCommand';

await runCommand('npm run mnist', mnist);
