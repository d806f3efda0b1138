import {basename, dirname, extname} from 'node:path';
import {KindRouter, type Reflection} from 'typedoc';

/**
 * Places documents at `guides/<file>.html`, or `project/<file>.html` for those of the root folder,
 * and the API at `api.html` and `api/<kind>/<module>.<name>.html`.
 */
export class SiteRouter extends KindRouter {
  protected override getIdealBaseName(reflection: Reflection): string {
    if (!reflection.isDocument()) return `api/${super.getIdealBaseName(reflection)}`;
    const path = reflection.project.files.getReflectionPath(reflection) ?? reflection.name;
    const folder = basename(dirname(path)) === 'docs' ? 'guides' : 'project';
    return `${folder}/${basename(path, extname(path)).toLowerCase()}`;
  }

  protected override getFileName(baseName: string): string {
    return super.getFileName(baseName === 'modules' ? 'api' : baseName);
  }
}
