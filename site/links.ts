import {readdirSync, readFileSync} from 'node:fs';
import {join, posix} from 'node:path';
import {type DefaultTreeAdapterTypes, parse} from 'parse5';

/** A link of a page that leads nowhere, or that loads from another host. */
export interface LinkFinding {
  /** The page, from the folder of the site. */
  readonly page: string;
  /** The attribute and its value: `href="a.html#b"`. */
  readonly link: string;
  readonly reason: string;
}

interface PageLinks {
  readonly ids: ReadonlySet<string>;
  readonly links: readonly {tag: string; attribute: string; value: string}[];
}

/** Attributes whose address is loaded with the page, unlike the `href` of an `<a>`. */
const LOADED = ['src', 'data-src', 'srcset', 'poster', 'data', 'action', 'formaction'];

/**
 * Finds every link in the HTML files of a folder that does not resolve within it: to a file, and to
 * an element with that id if it has a fragment.
 *
 * A link must name a file, since a folder has no page on file://. Links of a reader to other hosts
 * are allowed; whatever a page loads must be its own.
 *
 * @returns findings in the order of pages and links; none for a sound site.
 */
export function brokenLinks(folder: string): LinkFinding[] {
  const files = new Set(filesIn(folder));
  const pages = new Map(
    [...files].filter(isPage).map((file) => [file, linksOf(readFileSync(join(folder, file), 'utf8'))]),
  );
  return [...pages].flatMap(([page, {links}]) =>
    links.flatMap(({tag, attribute, value}) => {
      const reason = faultOf(page, tag, attribute, value, files, pages);
      return reason ? [{page, link: `${attribute}="${value}"`, reason}] : [];
    }),
  );
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) =>
      posix.join(entry.parentPath.slice(folder.length).replaceAll('\\', '/').replace(/^\//, ''), entry.name),
    )
    .sort();
}

const isPage = (file: string): boolean => file.endsWith('.html');

function linksOf(html: string): PageLinks {
  const ids = new Set<string>();
  const links: {tag: string; attribute: string; value: string}[] = [];
  for (const {tagName: tag, attrs} of elementsOf(parse(html))) {
    for (const {name: attribute, value} of attrs) {
      if (attribute === 'id' || (attribute === 'name' && tag === 'a')) ids.add(value);
      else if (attribute === 'srcset') links.push(...candidates(value).map((src) => ({tag, attribute, value: src})));
      else if (attribute === 'href' || LOADED.includes(attribute)) links.push({tag, attribute, value});
    }
  }
  return {ids, links};
}

/** The addresses of `srcset="a.svg 1x, b.svg 2x"`. */
const candidates = (srcset: string): string[] => srcset.split(',').map((part) => part.trim().split(/\s/)[0] ?? '');

function elementsOf(node: DefaultTreeAdapterTypes.Node): DefaultTreeAdapterTypes.Element[] {
  const children = 'childNodes' in node ? node.childNodes : [];
  const found = children.flatMap(elementsOf);
  return 'tagName' in node ? [node, ...found] : found;
}

function faultOf(
  page: string,
  tag: string,
  attribute: string,
  value: string,
  files: ReadonlySet<string>,
  pages: ReadonlyMap<string, PageLinks>,
): string | undefined {
  if (/^(data|mailto|blob):/i.test(value)) return undefined;
  if (/^([a-z][a-z\d+.-]*:|\/\/)/i.test(value)) {
    const isLoaded = tag !== 'a' || attribute !== 'href';
    return isLoaded ? 'is loaded from another host' : undefined;
  }
  if (value.startsWith('/')) return 'is absolute, and fails below a sub-path';
  const [, path = '', fragment = ''] = /^([^?#]*)(?:\?[^#]*)?(?:#(.*))?$/.exec(value) ?? [];
  const target = path === '' ? page : posix.join(posix.dirname(page), decodeURIComponent(path));
  if (!files.has(target)) return `leads to no file (${target})`;
  const id = decodeURIComponent(fragment);
  if (id === '' || !isPage(target)) return undefined;
  return pages.get(target)?.ids.has(id) ? undefined : `leads to no element with the id "${id}" in ${target}`;
}
