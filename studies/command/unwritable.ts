import {FailedError, messageOf} from '../../examples/mnist/node/errors';

/** What is said where the folder of a study cannot be written to, and what to do then. */
export const unwritable = (folder: string, cause: unknown, advice?: string): FailedError =>
  new FailedError(
    `study: --out must be a folder that can be written to, got ${folder} (${messageOf(cause)}).${advice ? ` ${advice}` : ''}`,
    {cause},
  );
