/**
 * The latest save of each target (a URL, a path or a handler) until it ends. It is kept here because
 * calls that share a target share nothing else.
 */
const last = /* @__PURE__ */ new Map<unknown, Promise<unknown>>();

/**
 * Runs a task once all earlier ones for the same target have ended, in whatever way.
 *
 * @param ready  what the task needs; it may be under way while earlier tasks run.
 */
export async function inTurn<T>(target: unknown, ready: Promise<T>, task: (ready: T) => unknown): Promise<void> {
  const before = last.get(target);
  const run = (async () => {
    // Both are awaited here, so that a rejection during the wait counts as handled.
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

/** Waits for the saves of a target that are under way. Their callers get their errors. */
export async function turnsEnded(target: unknown): Promise<void> {
  await Promise.allSettled([last.get(target)]);
}
