import {ShardError} from '../shardError';

/**
 * What a frame is for: a shard sends one of each round, and the hub answers all shards with the
 * same kind.
 */
const KINDS = ['hello', 'losses', 'gradients', 'state', 'bye', 'fail'] as const;
export type Kind = (typeof KINDS)[number];

/** A message between a shard and the hub. */
export interface Frame {
  kind: Kind;
  shard: number;
  /** Steps taken before this one. */
  step: number;
  payload: Uint8Array;
}

/** `OHEM`, then the version of this form. */
const MAGIC = 0x4f48454d;
const VERSION = 1;

/** Bytes before the payload: magic 4, version 1, kind 1, shard 2, step 4, length 4. */
const HEADER = 16;

/** Writes a frame as the parts that go to a socket one after the other. */
export function framed({kind, shard, step, payload}: Frame): Uint8Array[] {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(MAGIC, 0);
  header.writeUInt8(VERSION, 4);
  header.writeUInt8(KINDS.indexOf(kind), 5);
  header.writeUInt16BE(shard, 6);
  header.writeUInt32BE(step, 8);
  header.writeUInt32BE(payload.byteLength, 12);
  return payload.byteLength > 0 ? [header, payload] : [header];
}

/**
 * Builds what finds the frames in the bytes of a socket, which come in pieces of any size.
 *
 * @param longest  the most bytes that a payload may have: a length beyond it is no length.
 * @param sender  names who sends them, if that is known.
 * @throws ShardError from the returned function, if the bytes are no frames of this version.
 */
export function frameReader(
  longest: number,
  sender: () => string | undefined = () => undefined,
): (bytes: Uint8Array) => Frame[] {
  let pieces: Uint8Array[] = [];
  let size = 0;
  return (bytes) => {
    pieces.push(bytes);
    size += bytes.byteLength;
    const frames: Frame[] = [];
    while (size >= HEADER) {
      if ((pieces[0] as Uint8Array).byteLength < HEADER) pieces = [Buffer.concat(pieces)];
      const header = Buffer.from(pieces[0] as Uint8Array);
      const length = checkedLength(header, longest, sender());
      if (size < HEADER + length) break;
      const all = pieces.length === 1 ? header : Buffer.concat(pieces);
      // A copy begins at a place that floats may begin at.
      const payload = Uint8Array.from(all.subarray(HEADER, HEADER + length));
      frames.push({
        ...{kind: KINDS[all[5] as number] as Kind, shard: all.readUInt16BE(6), step: all.readUInt32BE(8)},
        payload,
      });
      pieces = [all.subarray(HEADER + length)];
      size -= HEADER + length;
    }
    return frames;
  };
}

function checkedLength(header: Buffer, longest: number, sender: string | undefined): number {
  const [magic, version, length] = [header.readUInt32BE(0), header.readUInt8(4), header.readUInt32BE(12)];
  const refused = (constraint: string, got: unknown) =>
    new ShardError(`shards: ${sender ? `${sender} must send frames that` : 'a frame must'} ${constraint}, got ${got}.`);
  if (magic !== MAGIC) throw refused('begin with OHEM', `0x${magic.toString(16)}`);
  if (version !== VERSION) throw refused(`have the version ${VERSION}`, version);
  if (!KINDS[header[5] as number]) throw refused('have a known kind', header[5]);
  if (length > longest) throw refused(`have at most ${longest} bytes`, length);
  return length;
}

/** The bytes of numbers. */
export const bytesOf = ({buffer, byteOffset, byteLength}: Float32Array | Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Text as a payload, and back. */
export const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = ({payload}: Pick<Frame, 'payload'>): string => new TextDecoder().decode(payload);
