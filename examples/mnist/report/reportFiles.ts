/** Names of the files of a report, in the order in which they are written. */
export const REPORT_FILES = [
  'results.json',
  'figure-1.svg',
  'figure-1.png',
  'figure-2.svg',
  'figure-2.png',
  'report.html',
] as const;
