/** @file `npm run study -- NAME`. */
import {FailedError, UsageError} from '../examples/mnist/node/errors';
import {studyCommand} from './studyCommand';

try {
  process.exitCode = await studyCommand(process.argv.slice(2), process.stdout);
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\nSee: npm run study -- --help`);
    process.exitCode = 2;
  } else {
    // What nobody foresaw is printed with its stack; thrown, it would come with a page of the wasm backend's code.
    console.error(error instanceof FailedError ? error.message : error);
    process.exitCode = 1;
  }
}
