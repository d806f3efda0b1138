import {type DefaultThemeRenderContext, JSX, type PageEvent, type Reflection, ReflectionKind} from 'typedoc';
import {importPath, OWN_ENTRY} from './importPath';

/** Renders where a page belongs, and its heading. That of a document is part of its text. */
export function pageTitle(context: DefaultThemeRenderContext, {model}: PageEvent<Reflection>) {
  if (model.isDocument()) return <p class="tsd-breadcrumb">{String(model.frontmatter.group)}</p>;
  if (model.isProject()) return <h1>API reference</h1>;
  return (
    <div class="tsd-page-title">
      {breadcrumb(context, model)}
      <h1 class={model.isDeprecated() ? 'deprecated' : ''}>
        {model.kindOf(ReflectionKind.Module) ? importPath(model.name) : model.name}
        {context.reflectionFlags(model)}
        <span class="kind">{ReflectionKind.singularString(model.kind)}</span>
      </h1>
      {importLine(model)}
    </div>
  );
}

function breadcrumb(context: DefaultThemeRenderContext, model: Reflection) {
  const {parent} = model;
  return (
    <nav aria-label="Breadcrumb">
      <ul class="tsd-breadcrumb">
        <li>
          <a href={context.relativeURL('api.html')}>API</a>
        </li>
        {parent && !parent.isProject() ? (
          <li>
            <a href={context.urlTo(parent) ?? ''}>{importPath(parent.name)}</a>
          </li>
        ) : null}
      </ul>
    </nav>
  );
}

/** The line by which a program gets a member, from the main entry point if that has it. */
function importLine(model: Reflection) {
  const {parent} = model;
  if (!parent?.kindOf(ReflectionKind.Module)) return null;
  const word = model.kindOf(ReflectionKind.Interface | ReflectionKind.TypeAlias) ? 'import type' : 'import';
  const entry = OWN_ENTRY.includes(parent.name) ? importPath(parent.name) : 'ohem-tfjs';
  return (
    <p class="import-line">
      <code>{`${word} {${model.name}} from '${entry}';`}</code>
    </p>
  );
}
