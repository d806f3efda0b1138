/**
 * @file Base64. Hand-written: Node's `btoa` and `atob` take seconds for a ledger of a million rows.
 */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const PADDING = 61;
const NO_DIGIT = 255;

/** Encodes bytes as padded base64. */
export function toBase64(bytes: Uint8Array): string {
  const digits = new TextEncoder().encode(ALPHABET);
  const text = new Uint8Array(4 * Math.ceil(bytes.length / 3)).fill(PADDING);
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const left = bytes.length - from;
    const bits = ((bytes[from] as number) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    text[to] = digits[bits >> 18] as number;
    text[to + 1] = digits[(bits >> 12) & 63] as number;
    if (left > 1) text[to + 2] = digits[(bits >> 6) & 63] as number;
    if (left > 2) text[to + 3] = digits[bits & 63] as number;
  }
  return new TextDecoder().decode(text);
}

/** Decodes padded base64; returns undefined for any other text. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const values = new Uint8Array(128).fill(NO_DIGIT);
  for (let value = 0; value < 64; value++) values[ALPHABET.charCodeAt(value)] = value;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let [bits, filled, to] = [0, 0, 0];
  for (let from = 0; from < text.length - padding; from++) {
    const value = values[text.charCodeAt(from)] ?? NO_DIGIT;
    if (value === NO_DIGIT) return undefined;
    bits = ((bits << 6) | value) & 0xffffff;
    filled += 6;
    if (filled < 8) continue;
    filled -= 8;
    bytes[to++] = bits >> filled;
  }
  return bytes;
}
