/**
 * The element of the page with an id.
 *
 * @throws Error if the page has none of that kind.
 */
export function element<T extends Element>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`element: id must be that of a ${kind.name} in index.html, got ${id}.`);
}

/** A new element with some text in it, and a class. */
export function made<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text = '',
  className = '',
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}
