import {type DefaultThemeRenderContext, JSX, type PageEvent, type Reflection} from 'typedoc';
import {PLACES} from './places';

/** Renders the bar on top of each page: the places of the site, search, theme, menu. */
export function toolbar(context: DefaultThemeRenderContext) {
  return (
    <header class="tsd-page-toolbar">
      <div class="tsd-toolbar-contents container">
        <a href={context.relativeURL('index.html')} class="title">
          ohem-tfjs
        </a>
        <nav id="tsd-toolbar-links" aria-label="Places">
          {placeLinks(context)}
        </nav>
        <button type="button" id="tsd-search-trigger" class="tsd-widget" aria-label="Search">
          {context.icons.search()}
          <span class="search-word">Search</span>
          <kbd>/</kbd>
        </button>
        {searchDialog()}
        {themeChoice()}
        <button type="button" id="site-menu-trigger" class="tsd-widget" aria-expanded="false" aria-controls="site-menu">
          {context.icons.menu()}
          <span class="hidden">Menu</span>
        </button>
      </div>
    </header>
  );
}

function placeLinks(context: DefaultThemeRenderContext) {
  const url = context.page.url;
  return Object.entries(PLACES).map(([label, path]) => (
    <a
      href={context.relativeURL(path)}
      class={path === PLACES['Live demo'] ? 'live' : ''}
      aria-current={path === url ? 'page' : undefined}
    >
      {label}
    </a>
  ));
}

/** The names and roles that the search of TypeDoc needs. */
function searchDialog() {
  return (
    <dialog id="tsd-search" aria-label="Search">
      <input
        role="combobox"
        id="tsd-search-input"
        aria-label="Search guides and API"
        aria-controls="tsd-search-results"
        aria-autocomplete="list"
        aria-expanded="true"
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        placeholder="Search guides and API"
        maxLength={100}
      />
      <div role="listbox" id="tsd-search-results" aria-label="Results" />
      <div id="tsd-search-status" aria-live="polite" aria-atomic="true">
        <div>Loading the search index …</div>
      </div>
    </dialog>
  );
}

/** The script of TypeDoc reads and writes the choice by this id. */
function themeChoice() {
  return (
    <select id="tsd-theme" aria-label="Theme">
      <option value="os">Auto</option>
      <option value="light">Light</option>
      <option value="dark">Dark</option>
    </select>
  );
}

/**
 * Renders the navigation. The script of TypeDoc fills in the whole tree; without scripts the places
 * remain.
 */
export function siteNavigation(context: DefaultThemeRenderContext, page: PageEvent<Reflection>) {
  const start = page.url === 'index.html';
  return (
    <nav class="tsd-navigation" aria-label="Site">
      <ul class="places">
        <li>
          <a href={context.relativeURL('index.html')} class={start ? 'current' : ''}>
            Start
          </a>
        </li>
        {placeLinks(context).map((link) => (
          <li>{link}</li>
        ))}
      </ul>
      <ul class="tsd-small-nested-navigation" id="tsd-nav-container">
        <li>
          <noscript>The whole tree needs scripts.</noscript>
        </li>
      </ul>
    </nav>
  );
}
