import {once} from 'node:events';
import {connect, createServer, type Socket} from 'node:net';
import {Worker} from 'node:worker_threads';
import {afterEach, describe, expect, it} from 'vitest';
import {framed, textBytes} from '../../../../examples/shards/network/frames';
import {type Hub, openHub} from '../../../../examples/shards/network/hub';
import {joinHub, type Member} from '../../../../examples/shards/network/member';
import {gradientsIn, gradientsPayload, lossesPayload, thresholdIn} from '../../../../examples/shards/network/payloads';
import {ShardError} from '../../../../examples/shards/shardError';
import {shardLosses} from '../../../support/shards';

const SIZE = 3;
const hello = (given: object = {}) => textBytes(JSON.stringify({'ohem-tfjs': '1.0.0', settings: 'a', ...given}));
const gradients = (...numbers: number[]) => gradientsPayload(numbers.length, Float32Array.from(numbers));
const losses = (shard: number, values: number[], given = {}) =>
  lossesPayload(shardLosses(values, {shard, k: 2, ...given}));

let open: Member[] = [];
afterEach(() => {
  for (const member of open) member.leave();
  open = [];
});

/** A hub with shards that have said hello. */
async function group(shards: number, {timeout = 5000, k = 2, greeted = true} = {}) {
  const hub = await openHub({shards, k, size: SIZE, timeout});
  const join = (shard: number) => joinHub({port: hub.port, shard, size: SIZE, timeout: 10_000});
  const members = await Promise.all(Array.from({length: shards}, (_, shard) => join(shard)));
  open.push(...members);
  if (greeted) await Promise.all(members.map((member) => member.ask('hello', 0, hello())));
  return {hub, members: members as [Member, Member]};
}

/** Expects the hub and all who wait to end with the same words. */
async function expectEnd(hub: Hub, waiting: readonly Promise<unknown>[], message: string): Promise<void> {
  for (const end of await Promise.allSettled([...waiting, hub.finished])) {
    expect(end).toMatchObject({
      status: 'rejected',
      reason: {name: 'ShardError', message: expect.stringContaining(message)},
    });
  }
}

describe('A hub', () => {
  it('answers all with the threshold and the sum, in the order of the shards, and ends when all say goodbye', async () => {
    const {hub, members} = await group(3);
    const tops = await Promise.all(members.map((member, shard) => member.ask('losses', 0, losses(shard, [shard, 0]))));
    for (const top of tops) expect(thresholdIn(top)).toEqual({loss: 1, counts: [0, 1, 1], rows: 6});
    const sums = await Promise.all(members.map((member, i) => member.ask('gradients', 0, gradients(i, 10 * i, 1))));
    for (const sum of sums) expect(gradientsIn(sum)).toEqual({kept: 9, gradients: Float32Array.of(3, 30, 3)});
    await Promise.all(members.map((member) => member.ask('bye', 1)));
    await hub.finished;
  });

  it('ends all if a shard dies, with its name', async () => {
    const {hub, members} = await group(3);
    const [one, two, three] = members as unknown as [Member, Member, Member];
    const waiting = [one.ask('losses', 7, losses(0, [1, 0])), three.ask('losses', 7, losses(2, [1, 0]))];
    two.leave();
    await expectEnd(hub, waiting, 'shards: shard 1 must stay until all have finished, got its end at step');
  });

  it('ends all if a shard is late, with its name', async () => {
    const {hub, members} = await group(2, {timeout: 1500});
    const waiting = [members[0].ask('gradients', 4, gradients(1, 2, 3))];
    await expectEnd(hub, waiting, 'shards: shard 1 must answer within 1500 ms, got no gradients at step 4.');
  });

  it('ends all if shards never come', async () => {
    const {hub, members} = await group(2, {timeout: 250, greeted: false});
    const waiting = [members[1].ask('hello', 0, hello())];
    await expectEnd(hub, waiting, 'shards: shard 0 must answer within 1500 ms, got no hello at step 0.');
  });

  it('ends all on a message that a shard cannot come', async () => {
    const {hub, members} = await group(2);
    const waiting = [members[0].ask('losses', 0, losses(0, [1, 0]))];
    const message = 'shards: the machine of shard 1 must be there, got none.';
    hub.end(new ShardError(message));
    await expectEnd(hub, waiting, message);
  });

  it('ends all if a shard does not say hello', async () => {
    const {hub, members} = await group(2, {greeted: false});
    await expectEnd(hub, [members[0].ask('bye', 0)], 'shards: shard 0 must begin with a hello, got bye at step 0.');
  });

  it('says what a shard says of itself', async () => {
    const {hub, members} = await group(2);
    const waiting = [members[0].ask('losses', 2, losses(0, [1, 0]))];
    const message = 'shards: the disk of shard 1 must have room, got none.';
    await Promise.all([members[1].fail(new ShardError(message), 2), expectEnd(hub, waiting, message)]);
  });

  it.each<[string, object, string]>([
    ['versions', {'ohem-tfjs': '2.0.0'}, 'have the ohem-tfjs of shard 0, 1.0.0, got 2.0.0 at step 0.'],
    ['models', {settings: 'b'}, 'have the settings of shard 0, a, got b at step 0.'],
    ['weights', {weights: 'ff'}, 'have the weights of shard 0, undefined, got ff at step 0.'],
  ])('ends all if their %s differ', async (_, other, message) => {
    const {hub, members} = await group(2, {greeted: false});
    const waiting = [members[0].ask('hello', 0, hello()), members[1].ask('hello', 0, hello(other))];
    await expectEnd(hub, waiting, `shards: shard 1 must ${message}`);
  });

  it('ends all if a state is not that of shard 0', async () => {
    const {hub, members} = await group(2);
    const waiting = members.map((member, i) => member.ask('state', 5, textBytes(String(i))));
    await expectEnd(hub, waiting, 'shards: shard 1 must have the weights of shard 0, got others at step 5.');
  });

  it.each<[string, (shard: number) => Parameters<Member['ask']>, string]>([
    [
      'gradients are of another step',
      (shard) => ['gradients', 3 + shard, gradients(1, 2, 3)],
      'shard 1 must send gradients of step 3, as shard 0, got gradients at step 4.',
    ],
    [
      'one is a phase behind',
      (shard) => (shard === 0 ? ['gradients', 3, gradients(1, 2, 3)] : ['losses', 3, losses(1, [1, 0])]),
      'shard 1 must send gradients of step 3, as shard 0, got losses at step 3.',
    ],
    [
      'gradients are of another model',
      (shard) => ['gradients', 3, shard === 0 ? gradients(1, 2, 3) : gradients(1, 2)],
      'shard 1 must send 3 gradients, got 2 at step 3.',
    ],
    [
      'k is more than all rows',
      (shard) => ['losses', 3, losses(shard, [], {rows: 0, usable: 0, step: 3})],
      'thresholdOf: k must be <= 0, the rows of all shards, got 2.',
    ],
    [
      'losses are cut',
      (shard) => ['losses', 3, losses(shard, [1], {rows: 5, usable: 4})],
      'thresholdOf: tops[0].losses must be the 2 largest of 4, got 1 of them. They were truncated or mixed up in transport.',
    ],
  ])('ends all if %s', async (_, frameOf, message) => {
    const {hub, members} = await group(2);
    const first = members[0].ask(...frameOf(0));
    const second = new Promise((resolve) => setTimeout(resolve, 20)).then(() => members[1].ask(...frameOf(1)));
    await expectEnd(hub, [first, second], `shards: ${message}`);
  });

  it('ends all if a shard comes twice, or there are too many', async () => {
    for (const [shard, message] of [
      [1, 'shards: shard 1 must be one of 2, once, got another one at step 0.'],
      [2, 'shards: shard 2 must be one of 2, once, got another one at step 0.'],
    ] as const) {
      const {hub, members} = await group(2);
      const waiting = [members[0].ask('losses', 0, losses(0, [1, 0]))];
      const asking = joinHub({port: hub.port, shard, size: SIZE, timeout: 5000}).then((other) => {
        open.push(other);
        return other.ask('hello', 0, hello());
      });
      await expectEnd(hub, [...waiting, asking], message);
    }
  });

  it.each(['losses', 'gradients'] as const)('names a shard that sends %s of no form', async (kind) => {
    const {hub, members} = await group(2);
    const [one, two] = members;
    if (kind === 'gradients') await Promise.all(members.map((member, i) => member.ask('losses', 0, losses(i, [1, 0]))));
    const waiting = [one.ask(kind, 0, kind === 'losses' ? losses(0, [1, 0]) : gradients(1, 1, 1))];
    waiting.push(two.ask(kind, 0, new Uint8Array(3)));
    await expectEnd(hub, waiting, `shards: shard 1 must send ${kind} as shards write them, got 3 bytes that cannot`);
  });

  it('names a shard whose greeting is no JSON', async () => {
    const {hub, members} = await group(2, {greeted: false});
    const waiting = [members[1].ask('hello', 0, textBytes('{'))];
    await expectEnd(hub, waiting, 'shards: shard 1 must send hello as shards write them, got 1 bytes that cannot');
  });

  it('names a shard whose bytes are no frames any more', async () => {
    const hub = await openHub({shards: 1, k: 2, size: SIZE, timeout: 5000});
    const shard = connect(hub.port, '127.0.0.1');
    await once(shard, 'connect');
    for (const part of framed({kind: 'hello', shard: 0, step: 0, payload: hello()})) shard.write(part);
    await once(shard, 'data');
    shard.write('GET / HTTP/1.1\r\n\r\n');
    await expectEnd(hub, [], 'shards: shard 0 must send frames that begin with OHEM, got 0x47455420.');
    shard.destroy();
  });

  it('ends all if something else than a shard speaks', async () => {
    const {hub, members} = await group(2);
    const waiting = [members[0].ask('losses', 0, losses(0, [1, 0]))];
    const stranger = connect(hub.port, '127.0.0.1');
    stranger.on('error', () => {});
    await once(stranger, 'connect');
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    await expectEnd(hub, waiting, 'shards: a frame must begin with OHEM, got 0x47455420.');
    stranger.destroy();
  });
});

describe('A member', () => {
  it('ends if there is no hub, or the hub dies', async () => {
    const {hub, members} = await group(1);
    await members[0].ask('bye', 0);
    await hub.finished;
    await expect(joinHub({port: hub.port, shard: 0, size: SIZE, timeout: 100})).rejects.toThrow(
      /^shards: the hub must be there, got .*ECONNREFUSED/,
    );
    await expect(members[0].ask('losses', 0)).rejects.toThrow(/^shards: the hub must/);
  });

  it('ends if the hub says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const {port} = silent.address() as {port: number};
    const member = await joinHub({port, shard: 0, size: SIZE, timeout: 100});
    await expect(member.ask('losses', 6)).rejects.toThrow(
      'shards: the hub must answer within 100 ms, got nothing at step 6.',
    );
    member.leave();
    silent.close();
  });

  it('ends if the hub does not accept', async () => {
    // A thread that is stopped accepts nothing; the machine does so for few connections only.
    const stopped = `const {parentPort} = require('node:worker_threads');
      const server = require('node:net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, () => {
        parentPort.postMessage(server.address().port);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      });`;
    const thread = new Worker(stopped, {eval: true});
    const [port] = (await once(thread, 'message')) as [number];
    const others = Array.from({length: 8}, () => connect(port, '127.0.0.1').on('error', () => {}));
    try {
      await once(others[0] as Socket, 'connect');
      await expect(joinHub({port, shard: 0, size: SIZE, timeout: 200})).rejects.toThrow(
        'shards: the hub must accept within 200 ms, got nothing at step 0.',
      );
    } finally {
      for (const other of others) other.destroy();
      await thread.terminate();
    }
  });

  it('says why it cannot continue to a hub that never reads it, and leaves', async () => {
    const accepted: Socket[] = [];
    const stopped = createServer({allowHalfOpen: true, pauseOnConnect: true}, (socket) => accepted.push(socket));
    stopped.listen(0, '127.0.0.1');
    await once(stopped, 'listening');
    const {port} = stopped.address() as {port: number};
    const member = await joinHub({port, shard: 0, size: SIZE, timeout: 200});
    const start = performance.now();
    await member.fail(new ShardError('shards: the disk of shard 0 must have room, got none.'), 3);
    expect(performance.now() - start).toBeLessThan(5000);
    await expect(member.ask('losses', 3)).rejects.toThrow('shards: the hub must stay until all have finished');
    for (const socket of accepted) socket.destroy();
    stopped.close();
  });

  it('ends if the hub answers something else', async () => {
    const wrong = createServer((socket) => {
      for (const part of framed({kind: 'losses', shard: 0, step: 5, payload: new Uint8Array()})) socket.write(part);
    }).listen(0, '127.0.0.1');
    await once(wrong, 'listening');
    const {port} = wrong.address() as {port: number};
    const member = await joinHub({port, shard: 0, size: SIZE, timeout: 1000});
    const asked = member.ask('losses', 6);
    await expect(asked).rejects.toThrow('shards: the hub must answer losses of step 6, got losses at step 5.');
    member.leave();
    wrong.close();
  });
});
