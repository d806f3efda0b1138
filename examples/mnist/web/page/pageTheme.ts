import type {Theme} from '../../report/theme';

/** Tells when the page becomes dark or light. */
export const darkPage = matchMedia('(prefers-color-scheme: dark)');

/** The theme of the page now, for what is drawn and not styled. */
export const themeNow = (): Theme => (darkPage.matches ? 'dark' : 'light');
