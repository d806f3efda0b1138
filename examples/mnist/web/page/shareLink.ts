import {element} from './element';

/**
 * The button that copies an address which opens with the settings of the page.
 *
 * @param address  what follows the path.
 * @param say  gets what has happened.
 */
export function shareLink(address: () => string, say: (text: string) => void): HTMLButtonElement {
  const button = element('share', HTMLButtonElement);
  button.addEventListener('click', async () => {
    const url = new URL(address(), location.href);
    history.replaceState(null, '', url);
    try {
      await navigator.clipboard.writeText(url.href);
      say('The link is copied: it opens with these settings.');
    } catch {
      // Not over plain http, nor where the user forbids it.
      say('This browser does not let the page copy; the address bar now has the link.');
    }
  });
  return button;
}
