import {copyFileSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {
  Application,
  Comment,
  Converter,
  type DocumentReflection,
  IndexEvent,
  MarkdownEvent,
  PageEvent,
  ReferenceReflection,
  TSConfigReader,
  TypeDocReader,
} from 'typedoc';
import {checkGuides, DOCUMENTS, GUIDES} from './guides';
import {headingCode} from './headingCode';
import {figuresInBothThemes, sizeOfSvg} from './html/figures';
import {outlined} from './html/outline';
import {plainSummaries} from './html/plainSummaries';
import {scrollingTables} from './html/scrollingTables';
import {withWaysIn} from './html/startPage';
import {memberOfAnyModule} from './memberOfAnyModule';
import {PLACES} from './theme/places';
import {SiteRouter} from './theme/siteRouter';
import {SiteTheme} from './theme/siteTheme';

/**
 * Renders the guides and the API reference by TypeDoc.
 *
 * @param root  the folder of the repository.
 * @param out   the folder of the site; its content is replaced.
 * @throws Error if TypeDoc warns, for example of a path that does not exist.
 */
export async function buildDocumentation(root: string, out: string): Promise<void> {
  checkGuides(readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md')));
  const app = await Application.bootstrapWithPlugins(
    {
      options: join(root, 'typedoc.json'),
      projectDocuments: DOCUMENTS.map((path) => join(root, path)),
      groupOrder: [...GUIDES.map(({title}) => title), '*'],
      plugin: [],
    },
    [new TypeDocReader(), new TSConfigReader()],
  );
  app.renderer.defineRouter('site', SiteRouter);
  app.renderer.defineTheme('site', SiteTheme);
  app.options.setValue('router', 'site');
  app.options.setValue('theme', 'site');
  app.options.setValue('markdownItLoader', headingCode);
  app.converter.addUnknownSymbolResolver((reference, origin) => {
    const target = memberOfAnyModule(reference, origin);
    // TypeDoc takes members too, as for the links that it resolves itself. Its type lacks them.
    return target && {target: target as unknown as string};
  });
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => placeDocument(document));
  // Below the priority of TypeDoc's own parser, which runs first.
  app.renderer.on(MarkdownEvent.PARSE, finishMarkdown, -100);
  // A member that a module exports again would be found twice.
  app.renderer.on(IndexEvent.PREPARE_INDEX, (event: IndexEvent) => {
    for (let i = event.searchResults.length - 1; i >= 0; i--) {
      if (event.searchResults[i] instanceof ReferenceReflection) event.removeResult(i);
    }
  });
  app.renderer.on(PageEvent.END, (page: PageEvent) => {
    page.contents = plainSummaries(outlined(page.contents ?? ''));
  });
  const project = await app.convert();
  if (project) {
    app.validate(project);
    await app.generateDocs(project, out);
    copyFileSync(join(root, 'LICENSE'), join(out, LICENSE));
    rmSync(join(out, 'media/LICENSE'), {force: true});
  }
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error('site: TypeDoc must have nothing to report, got the messages above.');
  }
}

/**
 * Puts a document into its group of the navigation. One without front matter is named by its
 * heading.
 */
function placeDocument(document: DocumentReflection): void {
  const path = document.project.files.getReflectionPath(document) ?? '';
  const group = GUIDES.find(({documents}) => documents.some((file) => path.endsWith(`/${file}`)));
  document.frontmatter.group = group?.title;
  const heading = /^# (.+)$/m.exec(Comment.combineDisplayParts(document.content))?.[1];
  if (document.frontmatter.title === undefined && heading) document.name = heading;
}

/** Changes what TypeDoc made of Markdown for this site. */
function finishMarkdown(event: MarkdownEvent): void {
  const {page} = event;
  const files = page.project.files.getNameToAbsoluteMap();
  const sizeOf = (src: string) => {
    const path = files.get(basename(src));
    if (!path) throw new Error(`site: a figure must be a file of the repository, got ${src}.`);
    return sizeOfSvg(readFileSync(path, 'utf8'));
  };
  let html = scrollingTables(figuresInBothThemes(event.parsedText, sizeOf));
  // The readme links to the start page, and a folder has no page on file://.
  html = html.replace(/href="((?:\.\.?\/)+)(?=["#])/g, 'href="$1index.html');
  html = html.replace(/media\/LICENSE"/g, `${LICENSE}"`);
  const isReadme = page.url === 'index.html' && /<h1[\s>]/.test(html);
  event.parsedText = isReadme
    ? withWaysIn(html, {live: PLACES['Live demo'], guide: PLACES.Guides, api: PLACES.API})
    : html;
}

/** With an extension, by which servers send it as text. */
const LICENSE = 'media/LICENSE.txt';
