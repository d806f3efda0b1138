/** @file A page that times training steps on every backend that the browser has: `npm run bench:web`. */
import '@tensorflow/tfjs-layers';
import {enableProdMode} from '@tensorflow/tfjs-core';
import {loadBackend} from '../../examples/mnist/web/worker/loadBackend';
import {findOffers} from '../../examples/mnist/web/worker/offers';
import type {Timing} from '../interleaved';
import {measureBackend} from './measureBackend';

export interface BackendTimings {
  backend: string;
  /** What it runs on. */
  note: string;
  timings: Timing[];
}

declare global {
  interface Window {
    measured: Promise<BackendTimings[]>;
  }
}

const find = (id: string) => document.getElementById(id) as HTMLElement;
const rounds = Number(new URLSearchParams(location.search).get('rounds') ?? 9);

async function measure(): Promise<BackendTimings[]> {
  enableProdMode();
  const results: BackendTimings[] = [];
  for (const {backend, available, note} of await findOffers()) {
    if (!available) continue;
    find('status').textContent = `Measuring ${backend}; leave this page in front.`;
    await loadBackend(backend);
    results.push({backend, note, timings: await measureBackend(rounds)});
    show(results);
  }
  find('status').textContent = 'Done.';
  return results;
}

function show(results: readonly BackendTimings[]): void {
  const table = find('table') as HTMLTableElement;
  table.hidden = false;
  table.replaceChildren();
  const row = (cells: readonly string[], kind: 'th' | 'td') => {
    const line = table.insertRow();
    for (const text of cells) line.append(Object.assign(document.createElement(kind), {textContent: text}));
  };
  row(['backend', ...(results[0]?.timings.map(({name}) => name) ?? [])], 'th');
  for (const {backend, timings} of results) {
    const [plain] = timings;
    row([backend, ...timings.map(({ms}) => `${ms.toFixed(0)} (${(ms / (plain?.ms ?? ms)).toFixed(2)})`)], 'td');
  }
}

window.measured = measure();
window.measured.catch((error: Error) => {
  find('status').textContent = error.message;
});
