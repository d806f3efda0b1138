import {DefaultTheme, type NavigationElement, type ProjectReflection} from 'typedoc';
import {SiteContext} from './siteContext';

/** The default theme of TypeDoc in the layout of this site. */
export class SiteTheme extends DefaultTheme {
  override ContextClass = SiteContext;

  override buildNavigation(project: ProjectReflection): NavigationElement[] {
    return super.buildNavigation(project).map(foldedOrLinked);
  }
}

/**
 * Moves the link of an element that unfolds into its list. A link within a `<summary>` cannot be
 * reached by all assistive technology.
 */
function foldedOrLinked(element: NavigationElement): NavigationElement {
  const {path, children, ...rest} = element;
  if (!children) return element;
  const below = children.map(foldedOrLinked);
  return {...rest, children: path === undefined ? below : [{text: 'Overview', path}, ...below]};
}
