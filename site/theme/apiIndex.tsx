import {type DeclarationReflection, type DefaultThemeRenderContext, JSX, type ProjectReflection} from 'typedoc';
import {importPath} from './importPath';

/** Renders the entry points of the package with their summaries. */
export function apiIndex(context: DefaultThemeRenderContext, project: ProjectReflection) {
  const modules = project.children ?? [];
  return (
    <div class="tsd-panel tsd-typography">
      <p class="lead">
        <code>ohem-tfjs</code> exports all parts except <code>wasm</code> and <code>node</code>, which need their
        platform. Each part also has an entry point of its own.
      </p>
      <dl class="entry-points">{modules.map((module) => entryPoint(context, module))}</dl>
    </div>
  );
}

function entryPoint(context: DefaultThemeRenderContext, module: DeclarationReflection) {
  const functions = (module.children ?? []).length;
  return (
    <>
      <dt>
        <a href={context.urlTo(module) ?? ''}>
          <code>{importPath(module.name)}</code>
        </a>
        <span class="quiet">{functions === 1 ? '1 export' : `${functions} exports`}</span>
      </dt>
      <dd>{context.displayParts(module.comment?.summary)}</dd>
    </>
  );
}
