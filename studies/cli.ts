/** @file `npm run study -- NAME`. */
import {runCommand} from '../examples/mnist/node/runCommand';
import {studyCommand} from './command/studyCommand';

await runCommand('npm run study', (argv) => studyCommand(argv, process.stdout));
