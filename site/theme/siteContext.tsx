import {DefaultThemeRenderContext, JSX, type PageEvent, ReferenceReflection, type Reflection} from 'typedoc';
import {apiIndex} from './apiIndex';
import {layout} from './layout';
import {pageTitle} from './pageTitle';
import {siteNavigation, toolbar} from './toolbar';

/** Renders the parts of a page that differ from the default theme of TypeDoc. */
export class SiteContext extends DefaultThemeRenderContext {
  constructor(...settings: ConstructorParameters<typeof DefaultThemeRenderContext>) {
    super(...settings);
    const {reflectionTemplate, moduleMemberSummary} = this;
    this.reflectionTemplate = (page) =>
      page.model.isProject() ? apiIndex(this, page.model) : reflectionTemplate(page);
    // A member that a module exports again has the summary of the member itself.
    this.moduleMemberSummary = (member) => {
      const target = member instanceof ReferenceReflection ? member.tryGetTargetReflectionDeep() : undefined;
      return moduleMemberSummary(target?.isDeclaration() ? target : member);
    };
  }

  override defaultLayout: DefaultThemeRenderContext['defaultLayout'] = (template, page) => layout(this, template, page);

  override header = (page: PageEvent<Reflection>) => pageTitle(this, page);

  override toolbar = () => toolbar(this);

  override navigation = (page: PageEvent<Reflection>) => siteNavigation(this, page);

  /** The toolbar has the theme, and there is nothing else to set. */
  override settings = () => <></>;

  /** The declaration above it, and the list of the page beside it, have the same names. */
  override index = () => <></>;

  override sidebarLinks = () => null;
}
