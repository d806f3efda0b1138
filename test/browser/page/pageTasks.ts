import type {Browser} from 'playwright';

/** A task of a page's main thread; while it lasts, the page is deaf. In milliseconds. */
export interface PageTask {
  /** By the clock. */
  wall: number;
  /** Of the processor: what other processes do meanwhile is not in it. */
  cpu: number;
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  tdur?: number;
  args?: {data?: {type?: string}};
}

/**
 * Records the tasks of the main thread of the page that is clicked on while `use` runs, with
 * Chromium's own tracing: a renderer that it starts in reserve is no page.
 */
export async function pageTasks(browser: Browser, use: () => Promise<void>): Promise<PageTask[]> {
  const session = await browser.newBrowserCDPSession();
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({value}) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    traceConfig: {includedCategories: ['toplevel', 'devtools.timeline']},
    transferMode: 'ReportEvents',
  });
  await use();
  const complete = new Promise((resolve) => session.on('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  const threadOf = ({pid, tid}: TraceEvent) => `${pid} ${tid}`;
  const clicked = ({name, args}: TraceEvent) => name === 'EventDispatch' && args?.data?.type === 'click';
  const mains = new Set(events.filter(clicked).map(threadOf));
  return events
    .filter((event) => event.ph === 'X' && event.name.endsWith('RunTask') && mains.has(threadOf(event)))
    .map(({dur = 0, tdur = 0}) => ({wall: dur / 1000, cpu: tdur / 1000}));
}
