/** The pages that the toolbar names. Files, not folders: a folder has no page on file://. */
export const PLACES = {
  Guides: 'guides/getting-started.html',
  API: 'api.html',
  Results: 'guides/results.html',
  'Live demo': 'live/index.html',
} as const;
