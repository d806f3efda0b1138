import {PADDING, themeColors} from './theme';

const {light, dark} = themeColors;

/** The stylesheet of the report: the figures' own colours, so that these melt into the page. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --page: ${light.page}; --ink: ${light.ink}; --quiet: ${light.quietInk}; --line: ${light.grid}; --warning: ${light.warning}; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif; }
main { max-width: 48rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 0.75rem; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.75rem 0 0.75rem; }
p { margin: 0 0 0.75rem; }
code { font: 0.875em/1.5 ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
.warning { margin: 0 0 1.5rem; padding: 0.85rem 1rem; border-radius: 0.4rem; background: var(--warning); color: var(--page); font-size: 1.1rem; font-weight: 700; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1.25rem; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--quiet); outline-offset: 2px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.45rem 0.5rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
thead th { color: var(--quiet); font-weight: 400; line-height: 1.25; vertical-align: bottom; }
tr > :first-child { position: sticky; left: 0; background: var(--page); padding-left: 0; text-align: left; }
tr > :last-child { padding-right: 0; }
tbody th { white-space: normal; min-width: 10.5rem; overflow-wrap: anywhere; }
.note { margin-top: 0.75rem; color: var(--quiet); font-size: 0.9rem; }
.run { display: flex; align-items: center; gap: 0.5rem; }
.sample { flex: none; stroke: var(--light); }
figure { margin: 2.75rem 0 0; }
figure svg { display: block; max-width: calc(100% + ${2 * PADDING}px); height: auto; margin: 0 -${PADDING}px; }
figcaption { margin-top: 0.75rem; }
figcaption p { max-width: 42rem; }
pre { margin: 0 0 0.75rem; padding: 0.75rem 1rem; border: 1px solid var(--line); border-radius: 0.4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.narrow, .dark { display: none; }
@media (max-width: 46rem) {
  /* The name of a run has n and k, and narrow screens have no room to say them twice. */
  .said { display: none; }
  tbody th { min-width: 8rem; }
}
@media (max-width: 36rem) {
  .wide { display: none; }
  .narrow { display: block; }
  main { padding-top: 1.25rem; }
  h1 { font-size: 1.45rem; }
  dl { column-gap: 0.75rem; }
  table { font-size: 0.78rem; }
  thead th { font-size: 0.68rem; }
  th, td { padding: 0.4rem 0.12rem; }
  tbody th { min-width: 3.5rem; }
  .run { flex-direction: column; align-items: flex-start; gap: 0.1rem; }
}
@media (prefers-color-scheme: dark) {
  :root { --page: ${dark.page}; --ink: ${dark.ink}; --quiet: ${dark.quietInk}; --line: ${dark.grid}; --warning: ${dark.warning}; }
  .light { display: none; }
  .dark { display: block; }
  .sample { stroke: var(--dark); }
}
`;
