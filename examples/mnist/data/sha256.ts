/**
 * SHA-256 of some bytes, as 64 hexadecimal digits.
 *
 * @throws Error in a page that came over plain http, where browsers keep it back.
 */
export async function sha256(bytes: Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new Error(
      'sha256: crypto.subtle must be there to check the files, got none. Open this page over https or from localhost.',
    );
  }
  const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
