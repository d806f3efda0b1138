import {DefaultTheme} from 'typedoc';
import {SiteContext} from './siteContext';

/** The default theme of TypeDoc in the layout of this site. */
export class SiteTheme extends DefaultTheme {
  override ContextClass = SiteContext;
}
