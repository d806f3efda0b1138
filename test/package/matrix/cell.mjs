import {execFile} from 'node:child_process';
import {promisify} from 'node:util';

const execute = promisify(execFile);

/** A program took longer than this: it hangs. */
const PATIENCE = 5 * 60_000;

/** The exit code of a program that finds no such feature there, as the library reports. */
const NOT_OFFERED = 75;

/**
 * Runs a program for a cell of the table.
 *
 * @returns `{result: 'passed' | 'not offered' | 'failed', said}`: the last line that it printed, or
 *   the first one of an error.
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

/** A cell whose program could not be installed here: it says nothing about the library. */
export const notTried = (error) => ({
  result: 'not tried',
  said: String(error.message ?? error)
    .split('\n')[0]
    .slice(0, 160),
});
