import {FailedError, UsageError} from './node/errors';
import {mnist} from './node/mnist';

try {
  process.exitCode = await mnist(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    console.error(`${error.message}\nSee: npm run mnist -- --help`);
    process.exitCode = 2;
  } else {
    // What nobody foresaw is printed with its stack; thrown, it would come with a page of the wasm backend's code.
    console.error(error instanceof FailedError ? error.message : error);
    process.exitCode = 1;
  }
}
