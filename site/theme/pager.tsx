import {type DefaultThemeRenderContext, JSX, type PageEvent, type Reflection} from 'typedoc';

/** Renders links to the guides before and after this one, in reading order. */
export function pager(context: DefaultThemeRenderContext, {model, project}: PageEvent<Reflection>) {
  const documents = project.documents ?? [];
  const position = model.isDocument() ? documents.indexOf(model) : -1;
  if (position < 0) return null;
  const [before, after] = [documents[position - 1], documents[position + 1]];
  return (
    <nav class="pager" aria-label="Before and after">
      {before ? (
        <a href={context.urlTo(before) ?? ''} rel="prev">
          <span class="quiet">Before</span> {before.name}
        </a>
      ) : (
        <span />
      )}
      {after ? (
        <a href={context.urlTo(after) ?? ''} rel="next">
          <span class="quiet">Next</span> {after.name}
        </a>
      ) : (
        <span />
      )}
    </nav>
  );
}
