/** Tells whether somebody asked the process to end, with Ctrl-C or `kill`. */
export interface InterruptWatch {
  /** The exit code of who ends so: 128 and the number of the signal. */
  exitCode(): number | undefined;
  /** From now on the signals do what they always do. */
  stop(): void;
}

const CODES = {SIGINT: 130, SIGTERM: 143} as const;

/**
 * Takes note of the first signal, so that the work can be put away; a second one ends the process
 * at once.
 */
export function watchInterrupts(): InterruptWatch {
  let code: number | undefined;
  const note = (signal: NodeJS.Signals) => {
    code = CODES[signal as keyof typeof CODES];
    stop();
  };
  const stop = () => {
    for (const signal of Object.keys(CODES)) process.off(signal, note);
  };
  for (const signal of Object.keys(CODES)) process.on(signal, note);
  return {exitCode: () => code, stop};
}
