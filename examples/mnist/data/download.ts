import {decompressed, gzipped, isGzipped} from './gzip';
import type {IdxFile} from './mnistFiles';
import {sha256} from './sha256';

export interface DownloadOptions {
  /** Addresses of folders, each with a slash at its end; tried in this order. */
  mirrors: readonly string[];
  /** Told why a mirror is passed over. */
  onMessage: (message: string) => void;
  fetch?: typeof fetch;
  /**
   * Milliseconds without a byte after which a mirror is given up: a slow line may take its time, a
   * dead one may not.
   */
  patience?: number;
}

export interface Download {
  /** The decompressed bytes, their checksum found right. */
  bytes: Uint8Array;
  /** The same, gzipped. */
  gzipped: Uint8Array;
}

/** No mirror has the file whole. */
export class DownloadError extends Error {
  override name = 'DownloadError';
}

/**
 * Downloads a file from the first mirror that has it whole.
 *
 * @throws DownloadError if none has; `onMessage` got the reason.
 */
export async function downloadIdxFile(file: IdxFile, options: DownloadOptions): Promise<Download> {
  for (const mirror of options.mirrors) {
    const url = `${mirror}${file.name}.gz`;
    try {
      const received = await receive(url, file.size, options);
      const bytes = await decompressed(received, 'what came', () => file.size);
      const got = await sha256(bytes);
      if (got === file.sha256) {
        return {bytes, gzipped: isGzipped(received) ? received : await gzipped(received)};
      }
      options.onMessage(`Cannot use ${url}: its SHA-256 must be ${file.sha256}, got ${got}.`);
    } catch (error) {
      options.onMessage(`Cannot use ${url}: ${reasonOf(error)}`);
    }
  }
  throw new DownloadError(`no mirror gave ${file.name}`);
}

async function receive(url: string, size: number, {fetch = globalThis.fetch, patience = 15_000}: DownloadOptions) {
  const controller = new AbortController();
  const giveUp = () => controller.abort(new Error(`nothing came for ${patience / 1000} s.`));
  let timer = setTimeout(giveUp, patience);
  try {
    const response = await fetch(url, {signal: controller.signal});
    if (!response.ok) throw new Error(`it answered ${response.status}.`);
    const chunks: BlobPart[] = [];
    // More than any gzip file of it.
    const most = 2 * size + 4096;
    let length = 0;
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      chunks.push(part.value);
      length += part.value.length;
      if (length > most) throw new Error(`more than ${most} bytes came.`);
      clearTimeout(timer);
      timer = setTimeout(giveUp, patience);
    }
    return new Uint8Array(await new Blob(chunks).arrayBuffer());
  } finally {
    clearTimeout(timer);
    // Lets go of the connection where the body was not read to its end.
    controller.abort();
  }
}

/** Node's fetch says only "fetch failed"; what failed is in its cause. */
function reasonOf(error: unknown): string {
  const {message, cause} = error as Error;
  return cause instanceof Error && error instanceof TypeError ? `${message} (${cause.message}).` : message;
}
