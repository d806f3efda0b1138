import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {asShardError, ShardError, shardError} from '../shardError';
import type {Traffic} from '../training/results';
import {GRACE, START} from '../training/settings';
import {type Frame, framed, frameReader, type Kind, textBytes, textOf} from './frames';

export interface MemberOptions {
  host?: string;
  port: number;
  shard: number;
  /** How many numbers the gradients have. */
  size: number;
  /** Milliseconds to wait for the hub. It should wait less, so that it can say who was late. */
  timeout: number;
}

/** The connection of a shard to the hub. */
export type Member = Awaited<ReturnType<typeof joinHub>>;

/**
 * Connects a shard to the hub.
 *
 * @throws ShardError if the hub refuses, or does not accept within `timeout`.
 */
export async function joinHub({host = '127.0.0.1', port, shard, size, timeout}: MemberOptions) {
  const socket = connect({host, port, noDelay: true});
  const traffic: Traffic = {sent: 0, received: 0, losses: 0};
  const replies = repliesOf(socket, 4 * size + 65_536);
  await connected(socket, replies.failed, timeout);
  return {
    traffic,
    /** Sends the frame of a round, and waits until all shards have sent theirs. */
    async ask(kind: Kind, step: number, payload: Uint8Array = new Uint8Array()): Promise<Frame> {
      const [sent, received] = [socket.bytesWritten, socket.bytesRead];
      for (const part of framed({kind, shard, step, payload})) socket.write(part);
      const reply = await replies.next(kind === 'hello' ? START * timeout : timeout, step);
      if (reply.kind !== kind || reply.step !== step) {
        throw shardError('the hub', `answer ${kind} of step ${step}`, reply.kind, reply.step);
      }
      traffic.sent += socket.bytesWritten - sent;
      traffic.received += socket.bytesRead - received;
      if (kind === 'losses') traffic.losses += socket.bytesWritten - sent + socket.bytesRead - received;
      return reply;
    },
    /** Says why this shard cannot continue, so that all others end with the same words. */
    async fail(error: ShardError, step: number): Promise<void> {
      if (socket.destroyed) return;
      for (const part of framed({kind: 'fail', shard, step, payload: textBytes(error.message)})) socket.write(part);
      socket.end();
      // A hub that is stopped neither reads the message nor closes its end.
      const timer = setTimeout(() => void socket.destroy(), Math.min(timeout, GRACE));
      await once(socket, 'close').catch(() => {});
      clearTimeout(timer);
    },
    leave: () => void socket.destroy(),
  };
}

/** Waits until a socket is connected; gives it up after `timeout` milliseconds. */
async function connected(socket: Socket, failed: Promise<never>, timeout: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(shardError('the hub', `accept within ${timeout} ms`, 'nothing', 0)), timeout);
  });
  try {
    await Promise.race([once(socket, 'connect'), failed, late]);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for one frame at a time; an end of the hub, or of its patience, rejects whoever waits. */
function repliesOf(socket: Socket, longest: number) {
  const framesIn = frameReader(longest);
  let wake = (_: Frame | ShardError) => {};
  let failure: ShardError | undefined;
  let reject = (_: ShardError) => {};
  const failed = new Promise<never>((_, rejects) => {
    reject = rejects;
  });
  failed.catch(() => {});
  const fail = (error: ShardError) => {
    failure ??= error;
    reject(failure);
    wake(failure);
  };
  socket.on('data', (bytes) => {
    try {
      for (const frame of framesIn(bytes)) {
        if (frame.kind === 'fail') fail(new ShardError(textOf(frame)));
        else wake(frame);
      }
    } catch (error) {
      fail(asShardError(error));
    }
  });
  socket.on('error', (error) => fail(new ShardError(`shards: the hub must be there, got ${error.message}.`)));
  socket.on('close', () => fail(new ShardError('shards: the hub must stay until all have finished, got its end.')));
  return {
    failed,
    next(timeout: number, step: number): Promise<Frame> {
      return new Promise((resolve, rejects) => {
        const timer = setTimeout(
          () => wake(shardError('the hub', `answer within ${timeout} ms`, 'nothing', step)),
          timeout,
        );
        wake = (found) => {
          clearTimeout(timer);
          wake = () => {};
          if (found instanceof ShardError) rejects(found);
          else resolve(found);
        };
        if (failure) wake(failure);
      });
    },
  };
}
