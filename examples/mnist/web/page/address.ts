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
  /** Digits that are not drawn: `download` or `files`. */
  data?: string;
}

/** The settings in an address, and a sentence for each part of it that cannot be used. */
export interface ReadAddress {
  settings: AddressSettings;
  unclear: string[];
}

const NAMES = ['runs', 'lr', 'steps', 'seed', 'backend', 'digits', 'data'] as const;
type Name = (typeof NAMES)[number];
const isName = (name: string): name is Name => (NAMES as readonly string[]).includes(name);

/** Marks that others add to an address to count visits; they set nothing. */
const COUNTS_VISITS = /^(utm_\w+|fbclid|gclid|ref)$/;

/**
 * Reads what the address sets. Names that this version lacks, values that are missing, and names
 * that occur twice are reported; the first value of a name counts.
 */
export function readAddress(search: string): ReadAddress {
  const settings: AddressSettings = {};
  const unclear: string[] = [];
  for (const [name, value] of new URLSearchParams(search)) {
    if (COUNTS_VISITS.test(name)) continue;
    if (!isName(name)) unclear.push(`This version of the page has no setting ${inShort(name)}.`);
    else if (settings[name] !== undefined) unclear.push(`${name} occurs twice; the first one counts.`);
    else if (value === '') unclear.push(`${name} has no value.`);
    else settings[name] = value;
  }
  return {settings, unclear};
}

/** Text of strangers, no longer than a reader needs to recognise it. */
export const inShort = (text: string): string => {
  const characters = [...text];
  return characters.length > 40 ? `${characters.slice(0, 40).join('')}…` : text || '""';
};

/** Words settings as the end of an address, so that a training run can be shared. */
export function addressOf(settings: AddressSettings): string {
  const parts = NAMES.flatMap((name) => {
    const value = settings[name];
    // Slashes and commas may stand in a query as they are, and read better.
    return value ? [`${name}=${encodeURIComponent(value).replaceAll('%2F', '/').replaceAll('%2C', ',')}`] : [];
  });
  return parts.length > 0 ? `?${parts.join('&')}` : '';
}
