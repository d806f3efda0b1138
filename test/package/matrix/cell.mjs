import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

const execute = promisify(execFile);

/** Milliseconds after which a program counts as hanging. */
const PATIENCE = 5 * 60_000;

/** The exit code of a program whose feature the library does not offer on that runtime. */
const NOT_OFFERED = 75;

/**
 * Runs a program for a cell of the table.
 *
 * @returns `{result: 'passed' | 'not offered' | 'failed', said}`, with the last line of the output
 *   or the first line of the error.
 */
export async function cell(file, args, {cwd}) {
  try {
    const {stdout} = await execute(file, args, {cwd, timeout: PATIENCE, maxBuffer: 1e8});
    return {result: 'passed', said: stdout.trim().split('\n').at(-1)};
  } catch (error) {
    if (error.code === NOT_OFFERED) return {result: 'not offered', said: error.stdout.trim()};
    const lines = `${error.stdout ?? ''}\n${error.stderr ?? ''}`.split('\n').map((line) => line.trim().slice(0, 160));
    const said =
      lines.find((line) => /^\w*error\b|error TS/i.test(line)) ?? lines.find((line) => line !== '') ?? error.message;
    return {result: 'failed', said};
  }
}

/** The cell of a program that could not be installed, which proves nothing about the library. */
export const notTried = (error) => ({
  result: 'not tried',
  said: String(error.message ?? error)
    .split('\n')[0]
    .slice(0, 160),
});
