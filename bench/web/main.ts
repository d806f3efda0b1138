/**
 * @file A page that times training steps on every backend that the browser has:
 *   `npm run bench:web`.
 */
import '@tensorflow/tfjs-layers';
import {enableProdMode} from '@tensorflow/tfjs-core';
import {loadBackend} from '../../examples/mnist/web/worker/loadBackend';
import {findOffers} from '../../examples/mnist/web/worker/offers';
import type {Timing} from '../interleaved';
import {SMALL_MODELS} from '../smallModels';
import {type SmallLaunches, smallLaunches} from './launches';
import {measureBackend} from './measureBackend';

export interface BackendTimings {
  backend: string;
  /** What it runs on. */
  note: string;
  timings: Timing[];
  /** Launches of the small models, on a GPU backend. */
  launches: SmallLaunches[];
}

declare global {
  interface Window {
    measured: Promise<BackendTimings[]>;
  }
}

const find = (id: string) => document.getElementById(id) as HTMLElement;
const query = new URLSearchParams(location.search);
const rounds = Number(query.get('rounds') ?? 9);
/** Whether `--only` selects a part of the measurements. */
const isSelected = (part: string) => part.startsWith(query.get('only') ?? '');

async function measure(): Promise<BackendTimings[]> {
  enableProdMode();
  const results: BackendTimings[] = [];
  for (const {backend, available, note} of await findOffers()) {
    if (!available) continue;
    find('status').textContent = `Measuring ${backend}; leave this page in front.`;
    await loadBackend(backend);
    const timings = isSelected('times') ? await measureBackend(rounds) : [];
    const launches: SmallLaunches[] = [];
    results.push({backend, note, timings, launches});
    if (timings.length > 0) showTimes(results);
    if (!backend.startsWith('webg') || !isSelected('launches')) continue;
    for (const small of SMALL_MODELS) {
      find('status').textContent = `Counting the launches of ${small.name} on ${backend}.`;
      launches.push(await smallLaunches(small));
      showLaunches(results);
    }
  }
  find('status').textContent = 'Done.';
  return results;
}

type Row = readonly string[];

function fillTable(id: string, head: Row, rows: readonly Row[]): void {
  const table = find(id) as HTMLTableElement;
  table.hidden = false;
  table.replaceChildren();
  const add = (cells: Row, kind: 'th' | 'td') => {
    const line = table.insertRow();
    for (const text of cells) line.append(Object.assign(document.createElement(kind), {textContent: text}));
  };
  add(head, 'th');
  for (const cells of rows) add(cells, 'td');
}

function showTimes(results: readonly BackendTimings[]): void {
  const cells = ({backend, timings}: BackendTimings) => {
    const [plain] = timings;
    return [backend, ...timings.map(({ms}) => `${ms.toFixed(0)} (${(ms / (plain?.ms ?? ms)).toFixed(2)})`)];
  };
  fillTable('times', ['backend', ...(results[0]?.timings.map(({name}) => name) ?? [])], results.map(cells));
}

function showLaunches(results: readonly BackendTimings[]): void {
  const rows = results.flatMap(({backend, launches}) =>
    launches.map(({name, mined, stock}) => [name, backend, String(mined), String(stock)]),
  );
  fillTable('launches', ['model', 'backend', 'mined step', 'trainOnBatch'], rows);
}

window.measured = measure();
window.measured.catch((error: Error) => {
  find('status').textContent = error.message;
});
