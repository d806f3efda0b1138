import {once} from 'node:events';
import {createServer, type Server, type Socket} from 'node:net';
import {type GlobalThreshold, thresholdOf} from 'ohem-tfjs';
import {asShardError, lateError, ShardError, shardError} from '../shardError';
import {START} from '../training/settings';
import {type Frame, framed, frameReader, type Kind, textBytes, textOf} from './frames';
import {gradientsIn, gradientsPayload, lossesIn, thresholdPayload} from './payloads';

export interface HubOptions {
  shards: number;
  /** How many rows all shards keep. */
  k: number;
  /** How many numbers the gradients have. */
  size: number;
  /** Milliseconds that all shards together may take for a round. */
  timeout: number;
  /** Default: the loopback interface, which no other machine reaches. */
  host?: string;
  port?: number;
}

/** The meeting point of shards: it ranks their losses and adds up their gradients. */
export interface Hub {
  port: number;
  /**
   * Resolves when all shards have said goodbye; rejects with a ShardError, after all got it, if
   * one did not.
   */
  finished: Promise<void>;
  /** Ends all shards, since one of them cannot come. */
  end(error: ShardError): void;
}

/** Opens a hub, and answers each round as soon as all shards have sent their frame. */
export async function openHub(options: HubOptions): Promise<Hub> {
  const {host = '127.0.0.1', port = 0} = options;
  const server = createServer({noDelay: true});
  let end = (_: ShardError) => {};
  const finished = serve(server, options, (ending) => {
    end = ending;
  });
  // It may stay without a handler until something fails.
  finished.catch(() => {});
  server.listen(port, host);
  await once(server, 'listening');
  return {port: (server.address() as {port: number}).port, finished, end: (error) => end(error)};
}

function serve(
  server: Server,
  options: HubOptions,
  onServing: (end: (error: ShardError) => void) => void,
): Promise<void> {
  const {shards, size, timeout} = options;
  const sockets = new Set<Socket>();
  const members: (Socket | undefined)[] = Array(shards).fill(undefined);
  const rounds = roundsOf(options);
  return new Promise<void>((resolve, reject) => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const answer = (to: Iterable<Socket>, kind: Kind, payload: Uint8Array) => {
      const parts = framed({kind, shard: 0, step: rounds.step(), payload});
      for (const socket of to) for (const part of parts) socket.write(part);
    };
    const end = (error?: ShardError) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      if (error) answer(sockets, 'fail', textBytes(error.message));
      for (const socket of sockets) socket.end();
      server.close(() => (error ? reject(error) : resolve()));
      // A peer that no longer reads would keep its socket open.
      setTimeout(() => sockets.forEach((socket) => void socket.destroy()), 1000).unref();
    };
    const watch = (patience = timeout) => {
      clearTimeout(timer);
      timer = setTimeout(() => end(rounds.late(patience)), patience);
    };
    const take = (socket: Socket, frame: Frame) => {
      admit(members, socket, frame, rounds.step());
      const reply = rounds.take(frame);
      if (!reply) return;
      watch();
      answer(members as Socket[], frame.kind, reply);
      if (frame.kind === 'bye') end();
    };
    const lost = (socket: Socket) => {
      const shard = members.indexOf(socket);
      if (shard >= 0) end(shardError(`shard ${shard}`, 'stay until all have finished', 'its end', rounds.step()));
    };
    const takeAll = (socket: Socket, frames: Frame[]) => {
      if (!isOver) for (const frame of frames) take(socket, frame);
    };
    const sender = (socket: Socket) => {
      const shard = members.indexOf(socket);
      return shard < 0 ? undefined : `shard ${shard}`;
    };
    const refuse = (error: unknown) => end(asShardError(error));
    onFrames(server, sockets, 4 * size + 65_536, {take: takeAll, refuse, lost, sender});
    watch(START * timeout);
    onServing(end);
  });
}

/** Takes a socket for that of a shard, if it says hello first. */
function admit(members: (Socket | undefined)[], socket: Socket, {kind, shard}: Frame, step: number): void {
  if (members[shard] === socket) return;
  if (kind !== 'hello') throw shardError(`shard ${shard}`, 'begin with a hello', kind, step);
  if (shard >= members.length || members[shard]) {
    throw shardError(`shard ${shard}`, `be one of ${members.length}, once`, 'another one', step);
  }
  members[shard] = socket;
}

interface Listener {
  take(socket: Socket, frames: Frame[]): void;
  refuse(error: unknown): void;
  lost(socket: Socket): void;
  /** Names the shard at the other end, if one has said hello. */
  sender(socket: Socket): string | undefined;
}

/** Finds the frames in what comes over the sockets of a server. */
function onFrames(server: Server, sockets: Set<Socket>, longest: number, {take, refuse, lost, sender}: Listener): void {
  server.on('connection', (socket) => {
    sockets.add(socket);
    const framesIn = frameReader(longest, () => sender(socket));
    socket.on('data', (bytes) => {
      try {
        take(socket, framesIn(bytes));
      } catch (error) {
        refuse(error);
      }
    });
    // What went wrong is said on close.
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      lost(socket);
    });
  });
}

/** Collects one frame of each shard, and computes what all of them are answered. */
function roundsOf({shards, k, size}: HubOptions) {
  let frames: (Frame | undefined)[] = Array(shards).fill(undefined);
  let first: Frame | undefined;
  let last: {kind: Kind; step: number} | undefined;
  const step = () => first?.step ?? last?.step ?? 0;
  return {
    step,
    late(timeout: number): ShardError {
      const missing = [...frames.keys()].filter((shard) => !frames[shard]);
      return lateError(missing, timeout, `no ${first?.kind ?? 'frame'}`, step());
    },
    /** Takes a frame; returns the answer if it is the last one of its round. */
    take(frame: Frame): Uint8Array | undefined {
      const {kind, shard} = frame;
      if (kind === 'fail') throw new ShardError(textOf(frame));
      if (frames[shard])
        throw shardError(`shard ${shard}`, 'wait for the answer to a frame', `two ${kind}`, frame.step);
      if (first && (kind !== first.kind || frame.step !== first.step)) {
        const constraint = `send ${first.kind} of step ${first.step}, as shard ${first.shard}`;
        throw shardError(`shard ${shard}`, constraint, kind, frame.step);
      }
      if (!isReadable(frame)) {
        const got = `${frame.payload.byteLength} bytes that cannot be read`;
        throw shardError(`shard ${shard}`, `send ${kind} as shards write them`, got, frame.step);
      }
      first ??= frame;
      frames[shard] = frame;
      if (!frames.every(Boolean)) return undefined;
      const all = frames as Frame[];
      const answer = answerTo(all, {k, size});
      last = {kind, step: frame.step};
      frames = Array(shards).fill(undefined);
      first = undefined;
      return answer;
    },
  };
}

/** Whether the payload of a frame has the form of its kind. */
function isReadable(frame: Frame): boolean {
  const {kind, payload} = frame;
  const counts = {losses: 4, gradients: 1}[kind as string];
  if (counts !== undefined) return payload.byteLength % 4 === 0 && payload.byteLength >= 4 * counts;
  if (kind !== 'hello') return true;
  try {
    const greeting: unknown = JSON.parse(textOf(frame));
    return typeof greeting === 'object' && greeting !== null;
  } catch {
    return false;
  }
}

function answerTo(frames: readonly Frame[], {k, size}: {k: number; size: number}): Uint8Array {
  const [{kind, step}] = frames as [Frame];
  if (kind === 'losses') return thresholdPayload(checkedThreshold(frames, k));
  if (kind === 'gradients') return sumOf(frames, size);
  if (kind === 'bye') return new Uint8Array();
  // Greetings and fingerprints of states are to be equal.
  const [first, ...others] = frames.map(textOf) as [string, ...string[]];
  const other = others.findIndex((text) => text !== first);
  if (other >= 0) throw unequal(kind, other + 1, first, others[other] as string, step);
  return new Uint8Array();
}

function checkedThreshold(frames: readonly Frame[], k: number): GlobalThreshold {
  try {
    return thresholdOf(frames.map(lossesIn), {k, shards: frames.length});
  } catch (error) {
    throw new ShardError(`shards: ${(error as Error).message}`);
  }
}

/**
 * Adds gradients up in the order of the shards, whichever came first: the same bits in every run.
 */
function sumOf(frames: readonly Frame[], size: number): Uint8Array {
  const parts = frames.map(gradientsIn);
  for (const [shard, {gradients}] of parts.entries()) {
    if (gradients.length === size) continue;
    throw shardError(`shard ${shard}`, `send ${size} gradients`, `${gradients.length}`, frames[shard]?.step ?? 0);
  }
  const sum = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    let total = 0;
    for (const {gradients} of parts) total += gradients[i] as number;
    sum[i] = total;
  }
  return gradientsPayload(
    parts.reduce((total, {kept}) => total + kept, 0),
    sum,
  );
}

/** Names what differs between two greetings or states. */
function unequal(kind: Kind, shard: number, first: string, other: string, step: number): ShardError {
  if (kind === 'state') return shardError(`shard ${shard}`, 'have the weights of shard 0', 'others', step);
  const [wanted, got] = [JSON.parse(first), JSON.parse(other)] as Record<string, unknown>[];
  const name = Object.keys({...wanted, ...got}).find((key) => wanted?.[key] !== got?.[key]) ?? 'greeting';
  return shardError(`shard ${shard}`, `have the ${name} of shard 0, ${wanted?.[name]}`, String(got?.[name]), step);
}
