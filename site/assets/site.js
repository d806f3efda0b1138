// Scripts of every page, beside those of TypeDoc.

/** The menu of small screens: opens by pointer and keyboard, closes by Escape or beside it. */
const trigger = document.getElementById('site-menu-trigger');
const menu = document.getElementById('site-menu');
const root = document.documentElement;

function setMenu(open) {
  root.classList.toggle('has-menu', open);
  trigger.setAttribute('aria-expanded', String(open));
  if (open) menu.querySelector('a')?.focus();
}

trigger.addEventListener('click', () => setMenu(!root.classList.contains('has-menu')));
document.querySelector('.overlay').addEventListener('click', () => setMenu(false));
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !root.classList.contains('has-menu')) return;
  setMenu(false);
  trigger.focus();
});
menu.addEventListener('click', (event) => {
  if (event.target.closest('a')) setMenu(false);
});

/** Whatever scrolls sideways can be scrolled by keyboard, and only then is a stop of the Tab key. */
const SCROLLERS = '.scroll, pre > code, .tsd-signature';

function markScrollers() {
  for (const box of document.querySelectorAll(SCROLLERS)) {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute('role', 'group');
      box.setAttribute('aria-label', box.matches('.scroll') ? 'Table, scrolls sideways' : 'Code, scrolls sideways');
    } else {
      for (const name of ['tabindex', 'role', 'aria-label']) box.removeAttribute(name);
    }
  }
}

markScrollers();
addEventListener('resize', markScrollers);

/** The index of the search is large, so it loads when somebody is about to search. */
const index = document.getElementById('tsd-search-script');
const search = document.getElementById('tsd-search-trigger');

function loadIndex() {
  if (index.src) return;
  index.src = index.dataset.src;
  // TypeDoc empties its status when the index is ready, and does not look at what was typed before.
  const status = document.getElementById('tsd-search-status');
  const ready = new MutationObserver(() => {
    if (status.hasChildNodes()) return;
    ready.disconnect();
    document.getElementById('tsd-search-input').dispatchEvent(new Event('input'));
  });
  ready.observe(status, {childList: true});
}

for (const event of ['pointerenter', 'focus', 'click']) search.addEventListener(event, loadIndex);
document.addEventListener('keydown', ({key, ctrlKey}) => {
  if (key === '/' || (ctrlKey && key === 'k')) loadIndex();
});

/**
 * An option of a list may have no link within, so the option itself becomes the link. TypeDoc
 * clicks on the link for the Enter key, which arrives here too.
 */
const results = document.getElementById('tsd-search-results');

new MutationObserver(() => {
  for (const link of results.querySelectorAll('a[href]')) {
    link.parentElement.dataset.href = link.href;
    link.removeAttribute('href');
    link.removeAttribute('tabindex');
  }
}).observe(results, {childList: true});

results.addEventListener('click', (event) => {
  const href = event.target.closest('[role="option"]')?.dataset.href;
  if (!href) return;
  if (event.ctrlKey || event.metaKey) open(href);
  else location.assign(href);
});
