/**
 * What the address of the page can set, with the names of the command line:
 * `?runs=512/384,512/384-random&steps=100`.
 */
export interface AddressSettings {
  runs?: string;
  lr?: string;
  steps?: string;
  seed?: string;
  backend?: string;
  /** How many digits to draw. */
  digits?: string;
}

const NAMES = ['runs', 'lr', 'steps', 'seed', 'backend', 'digits'] as const;

/** Reads what the address sets; what it does not name is not there. */
export function readAddress(search: string): AddressSettings {
  const parameters = new URLSearchParams(search);
  const settings: AddressSettings = {};
  for (const name of NAMES) {
    const value = parameters.get(name);
    if (value) settings[name] = value;
  }
  return settings;
}

/** Words settings as the end of an address, so that a training can be shown to others. */
export function addressOf(settings: AddressSettings): string {
  const parts = NAMES.flatMap((name) => {
    const value = settings[name];
    // Slashes and commas may stand in a query as they are, and read better.
    return value ? [`${name}=${encodeURIComponent(value).replaceAll('%2F', '/').replaceAll('%2C', ',')}`] : [];
  });
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}
