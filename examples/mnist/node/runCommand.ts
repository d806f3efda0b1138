import {FailedError, UsageError} from './errors';

/**
 * Runs a command of the shell, and sets the exit code of the process: 2 where it was called
 * wrongly, 1 where it failed.
 *
 * @param typed  how the command is called, to say where its help is.
 */
export async function runCommand(typed: string, command: (argv: string[]) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command(process.argv.slice(2));
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\nSee: ${typed} -- --help`);
      process.exitCode = 2;
    } else {
      // An unexpected error is printed with its stack; thrown, it would come with a page of the
      // wasm backend's code.
      console.error(error instanceof FailedError ? error.message : error);
      process.exitCode = 1;
    }
  }
}
