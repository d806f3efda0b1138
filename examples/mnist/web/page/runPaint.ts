import type {Run} from '../../experiment/results';
import {runStyles} from '../../report/runStyle';

/** Gives elements the colours of runs, of which the stylesheet takes the light or the dark one. */
export function paint(element: HTMLElement | SVGElement, runs: Run[], index: number): void {
  element.style.setProperty('--light', runStyles(runs, 'light')[index]?.color ?? '');
  element.style.setProperty('--dark', runStyles(runs, 'dark')[index]?.color ?? '');
}

/** A piece of a run's line, for legends. */
export function lineSample(runs: Run[], index: number): SVGSVGElement {
  const sample = document.createElementNS(SVG, 'svg');
  const line = document.createElementNS(SVG, 'line');
  const attributes = {x1: 0, y1: 4, x2: 28, y2: 4, 'stroke-dasharray': runStyles(runs, 'light')[index]?.dash.join(' ')};
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) line.setAttribute(name, String(value));
  sample.setAttribute('class', 'sample');
  sample.setAttribute('width', '28');
  sample.setAttribute('height', '8');
  sample.setAttribute('aria-hidden', 'true');
  paint(sample, runs, index);
  sample.append(line);
  return sample;
}

export const SVG = 'http://www.w3.org/2000/svg';
