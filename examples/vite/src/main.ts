import {growingChart} from './chart';
import {type Message, STEPS} from './messages';

const status = document.querySelector('#status') as HTMLElement;
const grow = growingChart(document.querySelector('#chart') as SVGSVGElement, STEPS);
const latest = new Map<string, string>();

const worker = new Worker(new URL('./worker.ts', import.meta.url), {type: 'module'});
worker.onerror = ({message}) => {
  status.textContent = `The worker failed: ${message || 'its script did not load'}.`;
};
worker.onmessage = ({data}: MessageEvent<Message>) => {
  if (data.kind === 'failed') status.textContent = `Training failed: ${data.why}.`;
  else if (data.kind === 'done') status.textContent = `Trained. ${[...latest.values()].join(', ')}.`;
  else {
    grow(data.run, data.step, data.found);
    latest.set(data.run, `${data.run}: ${data.found.toFixed(0)} % of the rare points found`);
    status.textContent = `Step ${data.step} of ${STEPS}. ${[...latest.values()].join(', ')}.`;
  }
};
