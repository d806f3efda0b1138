/**
 * The latest unfinished save of each target (a URL, a path or a handler). Module state, because
 * calls that save to the same target share nothing else.
 */
const last = /* @__PURE__ */ new Map<unknown, Promise<unknown>>();

/**
 * Runs a task after all earlier tasks for the same target have ended, whether they failed or not.
 *
 * @param ready  the input of the task; earlier tasks may run while it is pending.
 */
export async function inTurn<T>(target: unknown, ready: Promise<T>, task: (ready: T) => unknown): Promise<void> {
  const before = last.get(target);
  const run = (async () => {
    // Await both here: a rejection of `ready` during the wait must count as handled.
    const [value] = await Promise.allSettled([ready, before]);
    if (value.status === 'rejected') throw value.reason;
    await task(value.value);
  })();
  last.set(target, run);
  try {
    await run;
  } finally {
    if (last.get(target) === run) last.delete(target);
  }
}

/** Waits for the unfinished saves of a target. Their errors go to their own callers. */
export async function turnsEnded(target: unknown): Promise<void> {
  await Promise.allSettled([last.get(target)]);
}
