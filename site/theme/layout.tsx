import {
  Comment,
  type DefaultThemeRenderContext,
  JSX,
  type PageEvent,
  type Reflection,
  type RenderTemplate,
} from 'typedoc';
import {pager} from './pager';

/** Applies the theme before anything is drawn. Storage throws if a browser blocks it. */
const THEME = 'try{document.documentElement.dataset.theme=localStorage.getItem("tsd-theme")||"os"}catch{}';

/** Renders a page: landmarks for assistive technology, and nothing that waits for a script. */
export function layout(
  context: DefaultThemeRenderContext,
  template: RenderTemplate<PageEvent<Reflection>>,
  page: PageEvent<Reflection>,
) {
  const isStart = page.url === 'index.html';
  return (
    <html class="default" lang="en" data-base={context.relativeURL('./')}>
      {head(context, page)}
      <body class={isStart ? 'start' : ''}>
        <a class="skip" href="#content">
          Skip to the content
        </a>
        {context.toolbar(page)}
        <div class="container container-main">
          <main class="col-content" id="content" tabIndex={-1}>
            {isStart ? null : context.header(page)}
            {template(page)}
            {pager(context, page)}
          </main>
          <div class="col-sidebar" id="site-menu">
            {pageMenu(context, page)}
            <div class="site-menu">{context.sidebar(page)}</div>
          </div>
        </div>
        {footer(context)}
        <div class="overlay" />
      </body>
    </html>
  );
}

function pageMenu(context: DefaultThemeRenderContext, page: PageEvent<Reflection>) {
  // The title is no place on the page.
  for (const section of page.pageSections) section.headings = section.headings.filter(({level}) => level !== 1);
  if (!page.pageSections.some(({headings}) => headings.length > 0)) return null;
  return (
    <nav class="page-menu" aria-label="On this page">
      {context.pageSidebar(page)}
    </nav>
  );
}

function head(context: DefaultThemeRenderContext, page: PageEvent<Reflection>) {
  const asset = (name: string) => context.relativeURL(`assets/${name}`, true);
  return (
    <head>
      <meta charset="utf-8" />
      <title>{titleOf(page)}</title>
      <meta name="description" content={descriptionOf(page)} />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="color-scheme" content="light dark" />
      <link rel="icon" href={asset('favicon.svg')} type="image/svg+xml" />
      <script>
        <JSX.Raw html={THEME} />
      </script>
      <link rel="stylesheet" href={asset('style.css')} />
      <link rel="stylesheet" href={asset('highlight.css')} />
      <link rel="stylesheet" href={asset('custom.css')} />
      <script defer src={asset('main.js')} />
      <script defer src={asset('custom.js')} />
      <script async src={asset('icons.js')} id="tsd-icons-script" />
      <script async data-src={asset('search.js')} id="tsd-search-script" />
      <script async src={asset('navigation.js')} id="tsd-nav-script" />
    </head>
  );
}

function titleOf(page: PageEvent<Reflection>): string {
  const {model, project} = page;
  if (page.url === 'index.html') return `${project.name}: online hard example mining for TensorFlow.js`;
  return `${model.isProject() ? 'API' : model.name} · ${project.name}`;
}

/** The first sentence of a page as plain text: what a search engine shows below its title. */
function descriptionOf({model, project}: PageEvent<Reflection>): string {
  const parts = model.isDocument()
    ? model.content
    : model.isProject()
      ? project.readme
      : (model.comment?.summary ?? (model.isDeclaration() ? model.signatures?.[0]?.comment?.summary : undefined));
  const text = Comment.combineDisplayParts(parts)
    .split(/\n\s*\n/)
    .find((paragraph) => /^[A-Z]/.test(paragraph));
  const plain = (text ?? `${model.name} of ${project.name}`)
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*_]/g, '')
    .replace(/\s+/g, ' ');
  return plain.length > 160 ? `${plain.slice(0, 157).replace(/\s\S*$/, '')} …` : plain;
}

function footer(context: DefaultThemeRenderContext) {
  return (
    <footer>
      <p>
        ohem-tfjs, <a href={context.relativeURL('media/LICENSE.txt')}>Apache 2.0</a>. Nothing on this site is loaded
        from another host.
      </p>
    </footer>
  );
}
