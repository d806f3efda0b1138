/**
 * Gives the bytes of a file, unzipped if they are gzipped: by what they start with, not by the name, which may lie.
 *
 * @param name  what errors call it.
 * @throws Error if the gzip file is damaged.
 */
export async function decompressed(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  if (!isGzipped(bytes)) return bytes;
  try {
    return await through(new DecompressionStream('gzip'), bytes);
  } catch (error) {
    throw new Error(
      `decompressed: ${name} must be a whole gzip file, got a damaged one (${(error as Error).message}). ` +
        'Get the file again.',
      {cause: error},
    );
  }
}

export const gzipped = (bytes: Uint8Array): Promise<Uint8Array> => through(new CompressionStream('gzip'), bytes);

export const isGzipped = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

async function through(stream: GenericTransformStream, bytes: Uint8Array): Promise<Uint8Array> {
  const output = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream as ReadableWritablePair);
  return new Uint8Array(await new Response(output).arrayBuffer());
}
