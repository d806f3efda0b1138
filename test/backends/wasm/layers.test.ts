import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {expectMarkedTable} from '../../support/markedTable';
import {markdownTable} from '../../support/resultTables';
import {LAYER_CASES} from './layerCases';
import {type Verdicts, verdictsOf} from './layerVerdicts';

/** A row for all layers that train alike, in the order in which they are found. */
function tableOf(found: readonly {name: string; verdicts: Verdicts}[]): string {
  const names = new Map<string, string[]>();
  for (const {name, verdicts} of found) {
    const key = verdicts.join(' | ');
    names.set(key, [...(names.get(key) ?? []), `\`${name}\``]);
  }
  const rows = [...names].map(([key, layers]) => [layers.join(', '), ...key.split(' | ')]);
  return markdownTable([['layers', 'cpu', 'wasm', 'wasm with `enableWasmTraining()`'], ...rows]);
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
    expectMarkedTable({document: 'docs/backends.md', name: 'layers', table: tableOf(found)});
  });
});
