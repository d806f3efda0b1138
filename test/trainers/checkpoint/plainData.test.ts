import {runInNewContext} from 'node:vm';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {fromJson, toJson} from '../../../src/trainers/checkpoint/plainData';

const encoded = (value: unknown) => toJson('saveTraining', 'state', value);
const carried = (value: unknown) => fromJson(JSON.parse(JSON.stringify(encoded(value))));

describe('Plain data through JSON', () => {
  it('comes back as it was, whatever the numbers, and with undefined', () => {
    const plain = fc.anything({
      withNullPrototype: false,
      values: [
        fc.oneof(
          fc.double(),
          fc.string(),
          fc.boolean(),
          fc.constantFrom(null, undefined, -0, 0, Number.NaN, Infinity, -Infinity),
        ),
      ],
      key: fc.oneof(fc.string(), fc.constantFrom('$ohem', 'entries', '__proto__', 'toString')),
    });
    fc.assert(
      fc.property(plain, (value) => {
        expect(carried(value)).toStrictEqual(value);
      }),
      {numRuns: 500},
    );
  });

  it('looks as it was if JSON has a form for all of it', () => {
    const state = {epoch: 3, seed: 'run', best: {weights: [[1, 0.5], []]}, none: null, on: true};
    expect(encoded(state)).toStrictEqual(state);
  });

  it('is a copy', () => {
    const state = {weights: [1, 2], schedule: {ratio: [{of: 1}]}};
    const copy = encoded(state) as typeof state;
    state.weights[0] = 9;
    (state.schedule.ratio[0] as {of: number}).of = 9;
    expect(copy).toEqual({weights: [1, 2], schedule: {ratio: [{of: 1}]}});
  });

  it('may hold one record twice, records without a prototype and those of another realm', () => {
    const twice = {a: 1};
    const bare: Record<string, unknown> = Object.assign(Object.create(null), {a: -0});
    expect(carried({x: twice, y: twice, bare, other: runInNewContext('({list: [NaN]})')})).toEqual({
      x: {a: 1},
      y: {a: 1},
      bare: {a: -0},
      other: {list: [Number.NaN]},
    });
  });

  it('holds typed arrays to the bit, in base64, also a part of a longer one', () => {
    const types = [Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Uint8Array, Uint16Array, Uint32Array];
    const bytes = Uint8Array.from({length: 48}, (_, i) => (i * 37) % 251);
    for (const type of types) {
      const part = new type(bytes.buffer, 8, 3);
      const back = carried({rows: [part], none: new type(0)}) as {rows: [typeof part]; none: typeof part};
      expect(back).toStrictEqual({rows: [part], none: new type(0)});
      expect(new Uint8Array(back.rows[0].buffer)).toEqual(bytes.slice(8, 8 + part.byteLength));
    }
    const losses = Float32Array.of(Number.NaN, Number.NEGATIVE_INFINITY, -0);
    expect(carried(losses)).toStrictEqual(losses);
    expect(JSON.stringify(encoded(new Float32Array(999))).length).toBeLessThan(5.5 * 999);
    expect(carried(runInNewContext('({rows: Int32Array.of(3)})'))).toStrictEqual({rows: Int32Array.of(3)});
  });

  class Own {
    ratio = 1;
  }
  const itself: Record<string, unknown> = {};
  itself.inner = [itself];
  it.each<[string, unknown, string]>([
    ['a function', {schedule: {next: () => 1}}, 'state.schedule.next must {}, got a function.'],
    ['an instance of a class', {schedule: new Own()}, 'state.schedule must {}, got a Own.'],
    ['a date', {a: [1, new Date()]}, 'state.a[1] must {}, got a Date.'],
    ['a map', {a: new Map()}, 'state.a must {}, got a Map.'],
    ['the bytes of a view', {a: new DataView(new ArrayBuffer(2))}, 'state.a must {}, got a DataView.'],
    ['a subclass of a typed array', {a: Buffer.from([1])}, 'state.a must {}, got a Buffer.'],
    ['a bigint', {a: 1n}, 'state.a must {}, got a bigint.'],
    ['a symbol', [Symbol('a')], 'state[0] must {}, got a symbol.'],
    ['itself', itself, 'state.inner[0] must {}, got a cycle.'],
  ])('may not hold %s', (_, value, message) => {
    const constraint = 'be plain data: numbers, texts, booleans, null, lists, typed arrays and records';
    expect(() => encoded(value)).toThrow(
      new TypeError(`saveTraining: ${message.replace('{}', constraint)} Other values could not be restored.`),
    );
  });
});
