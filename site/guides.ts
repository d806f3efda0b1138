/** Documents that appear under one heading of the navigation. */
export interface GuideGroup {
  readonly title: string;
  /** Paths from the root of the repository, in reading order. */
  readonly documents: readonly string[];
}

/** All documents of the site, in the order in which a learner reads them. */
export const GUIDES: readonly GuideGroup[] = [
  {
    title: 'First steps',
    documents: [
      'docs/getting-started.md',
      'docs/concepts.md',
      'docs/choosing-k.md',
      'docs/training-loops.md',
      'docs/faq.md',
    ],
  },
  {
    title: 'Applications',
    documents: [
      'docs/imbalanced-data.md',
      'docs/detection.md',
      'docs/segmentation.md',
      'docs/finding-label-errors.md',
      'docs/coming-from.md',
    ],
  },
  {
    title: 'Building blocks',
    documents: [
      'docs/losses.md',
      'docs/selectors.md',
      'docs/schedules.md',
      'docs/samplers.md',
      'docs/pairs.md',
      'docs/insight.md',
    ],
  },
  {title: 'Backends and scale', documents: ['docs/backends.md', 'docs/memory.md', 'docs/scaling.md']},
  {title: 'Evidence', documents: ['docs/results.md', 'docs/compatibility.md']},
  {title: 'Inside the library', documents: ['docs/extending.md', 'docs/architecture.md']},
  {title: 'Project', documents: ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']},
];

/** Every document of {@link GUIDES}, in order. */
export const DOCUMENTS: readonly string[] = GUIDES.flatMap(({documents}) => documents);

/**
 * Compares {@link GUIDES} with the files of the folder `docs`.
 *
 * @param files  names of the Markdown files in `docs`.
 * @throws Error that names the documents that are missing from the list, or from the folder.
 */
export function checkGuides(files: readonly string[]): void {
  const there = files.map((file) => `docs/${file}`);
  const listed = DOCUMENTS.filter((path) => path.startsWith('docs/'));
  const unlisted = there.filter((path) => !listed.includes(path));
  const missing = listed.filter((path) => !there.includes(path));
  if (unlisted.length > 0) {
    throw new Error(`site: site/guides.ts must list every document of docs, got none of ${unlisted.join(', ')}.`);
  }
  if (missing.length > 0) {
    throw new Error(`site: site/guides.ts must list documents that exist, got ${missing.join(', ')}.`);
  }
}
