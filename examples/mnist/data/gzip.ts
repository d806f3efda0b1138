/** Bytes that `limitOf` needs: the header of an IDX file of images. */
const BEGINNING = 16;

/**
 * Gives the bytes of a file, unzipped if they are gzipped: by what they start with, not by the
 * name, which may lie.
 *
 * @param name  what errors call it.
 * @param limitOf the most bytes that a gzip file of this beginning may unpack to. No more is
 *   unpacked: a gzip file of some megabytes may unpack to gigabytes.
 * @throws Error if the gzip file is damaged; RangeError if it unpacks to more; what `limitOf`
 *   throws.
 */
export async function decompressed(
  bytes: Uint8Array,
  name: string,
  limitOf: (beginning: Uint8Array) => number,
): Promise<Uint8Array> {
  if (!isGzipped(bytes)) return bytes;
  const parts: Uint8Array[] = [];
  let length = 0;
  let limit: number | undefined;
  for await (const part of unzipped(bytes, name)) {
    parts.push(part);
    length += part.length;
    if (length < BEGINNING) continue;
    limit ??= limitOf(joined(parts, length));
    if (length > limit) {
      const constraint = `have at most ${limit} bytes when decompressed`;
      throw new RangeError(`decompressed: ${name} must ${constraint}, got more. The file is too long: get it again.`);
    }
  }
  return joined(parts, length);
}

async function* unzipped(bytes: Uint8Array, name: string): AsyncGenerator<Uint8Array> {
  const reader = through(new DecompressionStream('gzip'), bytes).getReader();
  const next = () =>
    reader.read().catch((error: Error) => {
      throw new Error(
        `decompressed: ${name} must be a whole gzip file, got a damaged one (${error.message}). Get the file again.`,
        {cause: error},
      );
    });
  try {
    for (let part = await next(); !part.done; part = await next()) yield part.value;
  } finally {
    // Ends the stream if the caller took enough. A stream that failed rejects, and has said why
    // before.
    await reader.cancel().catch(() => {});
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const gzipped = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await new Response(through(new CompressionStream('gzip'), bytes)).arrayBuffer());

export const isGzipped = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

const through = (stream: GenericTransformStream, bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> =>
  new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream as ReadableWritablePair);
