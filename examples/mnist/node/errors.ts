/** @file What goes wrong without anybody's bug: the shell prints the message alone. */

/** What was typed cannot be done. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What was typed is right, but a file or a folder is not, or the run failed. */
export class FailedError extends Error {
  override name = 'FailedError';
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
