import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {readFileSync, writeFileSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {LAYER_CASES} from './layerCases';
import {type Verdicts, verdictsOf} from './layerVerdicts';

const DOCUMENT = new URL('../../../docs/backends.md', import.meta.url);
const [BEGIN, END] = ['<!-- layers: begin -->\n', '<!-- layers: end -->\n'];

/** A row for all layers that train alike, in the order in which they are found. */
function tableOf(found: readonly {name: string; verdicts: Verdicts}[]): string {
  const names = new Map<string, string[]>();
  for (const {name, verdicts} of found) {
    const key = verdicts.join(' | ');
    names.set(key, [...(names.get(key) ?? []), `\`${name}\``]);
  }
  const rows = [...names].map(([key, layers]) => `| ${layers.join(', ')} | ${key} |`);
  return ['| layers | cpu | wasm | wasm with `enableWasmTraining()` |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

describe('Layers on wasm', () => {
  const found: {name: string; verdicts: Verdicts}[] = [];

  beforeAll(async () => {
    // Noise without a seed takes one from here.
    vi.spyOn(Math, 'random').mockReturnValue(0.37);
    for (const layer of LAYER_CASES) found.push({name: layer.name, verdicts: await verdictsOf(layer)});
  });
  afterAll(() => {
    vi.restoreAllMocks();
  });

  it('train wherever they do on cpu', () => {
    const missing = found.filter(({verdicts: [cpu, , ours]}) => cpu === 'yes' && ours !== 'yes');
    expect(missing).toEqual([]);
  });

  it('train as the table of docs/backends.md says: UPDATE_TABLE=1 writes it', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    const [before = '', after = ''] = [document.split(BEGIN)[0], document.split(END)[1]];
    const expected = `${before}${BEGIN}${tableOf(found)}${END}${after}`;
    if (process.env.UPDATE_TABLE) writeFileSync(DOCUMENT, expected);
    else expect(document, 'docs/backends.md is out of date: run with UPDATE_TABLE=1').toBe(expected);
  });
});
